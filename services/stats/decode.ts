import type { ReceivedMessage } from "@boxoffice/platform/bus.ts";
import { parsePrice, parseTime } from "@boxoffice/platform/parse.ts";
import {
  type Change,
  type ChangeBatch,
  type EventChange,
  EventState,
  type PaymentChange,
  PaymentState,
  ReservationState,
  type TicketTypeChange,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type Changes,
  categoryKey,
  EVENT_STATES,
  type Event,
  noChanges,
  PAYMENT_STATES,
  type Payment,
  RESERVATION_STATES,
  type Reservation,
  type TicketType,
} from "./domain/changes.ts";
import { type CountedReservation, type ReadBatch, readBatch } from "./read-batch.ts";

/** A message, or one change of it, that cannot be counted. */
export type Skipped = { subject: string; part: "message" | "change"; error: unknown };

export type Decoded = {
  changes: Changes;
  skipped: Skipped[];
  /** When the changes were made, message by message, as far as they tell it. */
  changedMs: number[];
  /** In whose traces, message by message, as far as they tell it. */
  traceparents: string[];
};

/**
 * Reads messages. What is malformed, or of a kind that is not known here, is left out by itself, because it would
 * be no better the next time: nothing that the stream can hold makes the database refuse the rest.
 */
export function decodeMessages(messages: readonly ReceivedMessage[]): Decoded {
  const decoded: Decoded = { changes: noChanges(), skipped: [], changedMs: [], traceparents: [] };
  for (const { subject, payload } of messages) {
    attempt(decoded, subject, "message", () => collectBatch(decoded, subject, readBatch(payload)));
  }
  return decoded;
}

/** Reads batches that are no messages but say what there is. */
export function decodeBatches(batches: readonly ChangeBatch[]): Decoded {
  const decoded: Decoded = { changes: noChanges(), skipped: [], changedMs: [], traceparents: [] };
  for (const { eventId, changeTime, traceparent, changes } of batches) {
    const batch = { eventId, changeTime, traceparent, changes: changes.map((change) => () => ({ change })) };
    attempt(decoded, "", "message", () => collectBatch(decoded, "", batch));
  }
  return decoded;
}

function attempt({ skipped }: Decoded, subject: string, part: Skipped["part"], work: () => void): void {
  try {
    work();
  } catch (error) {
    skipped.push({ subject, part, error });
  }
}

function collectBatch(decoded: Decoded, subject: string, batch: ReadBatch): void {
  const eventId = id("event_id", batch.eventId);
  const changedAt = batch.changeTime ? parseTime("change_time", batch.changeTime) : null;
  if (batch.traceparent !== "") decoded.traceparents.push(batch.traceparent);
  if (changedAt !== null) decoded.changedMs.push(changedAt.getTime());
  const { changes } = decoded;
  for (const readChange of batch.changes) {
    attempt(decoded, subject, "change", () => {
      const read = readChange();
      if ("reservation" in read) changes.reservations.push(toReservation(eventId, read.reservation));
      else collect(changes, eventId, read.change);
      if (changedAt !== null && changedAt > (changes.asOf ?? 0)) changes.asOf = changedAt;
    });
  }
}

function collect(changes: Changes, eventId: string, { change }: Change): void {
  switch (change.case) {
    case "event":
      changes.events.push(toEvent(change.value));
      return;
    case "ticketType":
      changes.ticketTypes.push(toTicketType(eventId, change.value));
      return;
    case "reservation":
      changes.reservations.push(toReservation(eventId, change.value));
      return;
    case "payment":
      changes.payments.push(toPayment(eventId, change.value));
      return;
    case undefined:
      throw new Error("the change is of no kind that is known here");
  }
}

function toEvent(change: EventChange): Event {
  const eventId = id("event_id", change.eventId);
  return {
    id: eventId,
    eventId,
    version: version(change.version),
    name: text("name", change.name),
    startsAt: parseTime("starts_at", required("starts_at", change.startsAt)),
    timeZone: text("time_zone", change.timeZone),
    state: required("state", EVENT_STATE_NAMES.get(change.state)),
  };
}

function toTicketType(eventId: string, change: TicketTypeChange): TicketType {
  return {
    id: id("ticket_type_id", change.ticketTypeId),
    eventId,
    version: version(change.version),
    position: change.position,
    name: text("name", change.name),
    category: categoryKey(text("category", change.category)),
    quantity: count("quantity", change.quantity, 0),
  };
}

function toReservation(eventId: string, change: CountedReservation): Reservation {
  return {
    id: matching("reservation_ref", change.reservationRef, /^[0-9a-f]{32}$/),
    eventId,
    version: version(change.version),
    state: required("state", RESERVATION_STATE_NAMES.get(change.state)),
    createdMs: timeMs("create_time", required("create_time", change.createTime)),
    ...closingTimes(change),
    items: change.items.map(({ ticketTypeId, quantity, unitPrice }) => ({
      ticketTypeId: id("items.ticket_type_id", ticketTypeId),
      quantity: count("items.quantity", quantity, 1),
      unitPriceMinor: Number(parsePrice("items.unit_price", unitPrice)),
    })),
  };
}

/** A time that goes with a state is there when the reservation is in it. */
function closingTimes({ state, payTime, closeTime }: CountedReservation) {
  const isPaid = state === ReservationState.PAID;
  const isClosed = state === ReservationState.EXPIRED || state === ReservationState.CANCELLED;
  return {
    paidMs: isPaid || payTime ? timeMs("pay_time", required("pay_time", payTime)) : null,
    closedMs: isClosed ? timeMs("close_time", required("close_time", closeTime)) : null,
  };
}

function toPayment(eventId: string, change: PaymentChange): Payment {
  return {
    id: id("payment_id", change.paymentId),
    eventId,
    version: version(change.version),
    state: required("state", PAYMENT_STATE_NAMES.get(change.state)),
    failureReason: text("failure_reason", change.failureReason),
  };
}

/** By the contract's number. A state added to the contract later is not known here, and its change malformed. */
const EVENT_STATE_NAMES = byNumber(EVENT_STATES, EventState);
const RESERVATION_STATE_NAMES = byNumber(RESERVATION_STATES, ReservationState);
const PAYMENT_STATE_NAMES = byNumber(PAYMENT_STATES, PaymentState);

function byNumber<Name extends string>(
  names: readonly Name[],
  numbers: Record<Name, number>,
): Map<number, Name> {
  return new Map(names.map((name) => [numbers[name], name]));
}

const timeMs = (field: string, time: Timestamp): number => parseTime(field, time).getTime();

const MAX_TEXT = 500;
const MAX_QUANTITY = 10_000_000;

/** Errors name the field and never the value: they are logged. */
function malformed(field: string): Error {
  return new Error(`${field} is not set, or is nothing that it can be`);
}

function matching(field: string, value: string, pattern: RegExp): string {
  if (!pattern.test(value)) throw malformed(field);
  return value;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const id = (field: string, value: string): string => matching(field, value.toLowerCase(), UUID);

/** PostgreSQL holds no NUL, and its indexes hold no long text. */
function text(field: string, value: string): string {
  if (value.includes("\0") || value.length > MAX_TEXT) throw malformed(field);
  return value;
}

function count(field: string, value: number, least: number): number {
  if (value < least || value > MAX_QUANTITY) throw malformed(field);
  return value;
}

function version(value: bigint): bigint {
  if (value <= 0n) throw malformed("version");
  return value;
}

function required<T>(field: string, value: T | undefined): T {
  if (value === undefined) throw malformed(field);
  return value;
}
