import { withTicketType } from "./changes.ts";
import type { Change, Command, Event, TicketType, TicketTypeCommand } from "./event.ts";

export type VersionedCommand = { version: bigint; command: Command };

/** A refused change without which the event is to go on, and the commands behind it as they read without it. */
export type TakenBack = Change & { rebased: readonly VersionedCommand[] };

/** A change of a ticket type that took tickets away. */
export type LoweringCommand = TicketTypeCommand & { previous: TicketType };

/** Only a quantity that was lowered can be too low for the sale: taking the change back is then the cure. */
export function lowersQuantity(command: Command): command is LoweringCommand {
  if (command.kind !== "change_ticket_type" || command.previous === null) return false;
  return command.ticketType.quantity < command.previous.quantity;
}

/**
 * Takes a change of a ticket type back after the sale refused it. Changes that were made on top of it and are
 * not delivered yet keep what they themselves changed. The sale is told once more how the type is now: an attempt
 * that was thought lost may reach it late, and this later version outdoes it.
 *
 * @param later the commands behind the refused one, by version, none of them delivered
 */
export function takeBack(
  event: Event,
  refused: LoweringCommand,
  later: readonly VersionedCommand[],
): TakenBack {
  const isIts = ({ ticketTypeId }: TicketType) => ticketTypeId === refused.ticketType.ticketTypeId;
  let ticketType = refused.previous;
  const rebased: VersionedCommand[] = [];
  for (const { version, command } of later) {
    if (command.kind === "open") {
      const current = ticketType;
      const ticketTypes = command.ticketTypes.map((type) => (isIts(type) ? current : type));
      rebased.push({ version, command: { ...command, ticketTypes } });
    } else if (command.kind === "change_ticket_type" && isIts(command.ticketType)) {
      const previous = ticketType;
      ticketType = rebase(command, previous);
      rebased.push({ version, command: { ...command, previous, ticketType } });
    }
  }
  const next = withTicketType({ ...event, version: event.version + 1n }, ticketType);
  // A cancelled event's sale ends anyway, and takes no more changes.
  const command: Command | null =
    event.state === "CANCELLED" ? null : { kind: "change_ticket_type", ticketType, previous: ticketType };
  return { event: next, ticketTypes: [ticketType], command, rebased };
}

/** What a command changes, on another base. Name and category are frozen; the window's ends go together. */
function rebase({ previous, ticketType }: TicketTypeCommand, base: TicketType): TicketType {
  if (previous === null) return ticketType;
  const hasNewWindow =
    previous.salesStart?.getTime() !== ticketType.salesStart?.getTime() ||
    previous.salesEnd?.getTime() !== ticketType.salesEnd?.getTime();
  const window = hasNewWindow ? ticketType : base;
  return {
    ...base,
    priceMinor: (previous.priceMinor === ticketType.priceMinor ? base : ticketType).priceMinor,
    quantity: (previous.quantity === ticketType.quantity ? base : ticketType).quantity,
    maxPerReservation: (previous.maxPerReservation === ticketType.maxPerReservation ? base : ticketType)
      .maxPerReservation,
    salesStart: window.salesStart,
    salesEnd: window.salesEnd,
  };
}
