import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import { parseCount, parseUuid, reasonOption } from "../arguments.ts";
import { eventAnswer } from "../event-answer.ts";
import { EXAMPLE, readEventFile } from "../event-file.ts";
import { answering, operatorCommand } from "../operator-command.ts";
import type { Terminal } from "../terminal.ts";

type Reason = { reason: string };

/** `events create`: a draft out of a file. */
export function createCommand(terminal: Terminal): Command {
  return operatorCommand("create")
    .description("Create a draft out of a YAML or JSON file. Nobody can buy before `publish`.")
    .argument("<file>", "see the example below")
    .option("--request-id <uuid>", "repeats an earlier try without making a second event", parseUuid)
    .addOption(reasonOption())
    .addHelpText("after", `\nA file:\n\n${EXAMPLE.replaceAll(/^/gm, "  ")}`)
    .action(
      answering(terminal, async ({ catalog }, file: string, options: Reason & { requestId?: string }) => {
        const { requestId = randomUUID(), reason } = options;
        const { event } = await catalog.createEvent({ event: readEventFile(file), requestId, reason });
        return eventAnswer(event);
      }),
    );
}

/** `publish`: a draft goes on sale. */
export function publishCommand(terminal: Terminal): Command {
  return operatorCommand("publish")
    .description("Put a draft on sale.")
    .argument("<event>", "its id", parseUuid)
    .addOption(reasonOption())
    .action(
      answering(terminal, async ({ catalog }, eventId: string, { reason }: Reason) =>
        eventAnswer((await catalog.publishEvent({ eventId, reason })).event),
      ),
    );
}

/** `cancel`: the end of an event. */
export function cancelCommand(terminal: Terminal): Command {
  return operatorCommand("cancel")
    .description(
      "End an event's sale for good: holds are released, and what is paid stays until it is refunded.",
    )
    .argument("<event>", "its id", parseUuid)
    .option("--yes", "do it, rather than show what would be cancelled")
    .addOption(reasonOption())
    .action(
      answering(terminal, async ({ catalog }, eventId: string, { yes, reason }: Reason & { yes?: true }) => {
        if (yes) return eventAnswer((await catalog.cancelEvent({ eventId, reason })).event);
        const shown = eventAnswer((await catalog.getEvent({ eventId })).event);
        return { ...shown, text: `${shown.text}\n\nNothing was done. --yes cancels this event, for good.` };
      }),
    );
}

/** `pause` and `resume`: the sale of an event, for now. */
export function pauseCommand(terminal: Terminal, name: "pause" | "resume"): Command {
  const isPause = name === "pause";
  return operatorCommand(name)
    .description(
      isPause
        ? "Let nobody reserve until `resume`. Holds can be paid all the same."
        : "Let people reserve again after `pause`.",
    )
    .argument("<event>", "its id", parseUuid)
    .addOption(reasonOption())
    .action(
      answering(terminal, async ({ reservation }, eventId: string, { reason }: Reason) => {
        if (isPause) await reservation.pauseSales({ eventId, reason });
        else await reservation.resumeSales({ eventId, reason });
        return {
          json: { eventId, isPaused: isPause },
          text: isPause ? "The sale is paused." : "The sale goes on.",
        };
      }),
    );
}

/** `quantity`: how many tickets of a type there are. */
export function quantityCommand(terminal: Terminal): Command {
  return operatorCommand("quantity")
    .description("Change how many tickets of a type there are, sold ones included.")
    .argument("<event>", "its id", parseUuid)
    .argument("<ticket-type>", "its id, or its name as `events show` writes it")
    .argument("<n>", "how many; what is reserved already is the least", parseCount)
    .addOption(reasonOption())
    .action(
      answering(
        terminal,
        async ({ catalog }, eventId: string, wanted: string, quantity: number, { reason }: Reason) => {
          const { event } = await catalog.getEvent({ eventId });
          const type = event?.ticketTypes.find(
            ({ ticketTypeId, name }) => ticketTypeId === wanted.toLowerCase() || name === wanted,
          );
          if (type === undefined) {
            const names = event?.ticketTypes.map(({ name }) => `"${name}"`).join(", ");
            throw new Error(`The event has no ticket type "${wanted}". It has ${names || "none"}.`);
          }
          const changed = await catalog.updateTicketType({
            eventId,
            ticketTypeId: type.ticketTypeId,
            ticketType: { quantity },
            updateMask: { paths: ["quantity"] },
            reason,
          });
          return eventAnswer(changed.event);
        },
      ),
    );
}
