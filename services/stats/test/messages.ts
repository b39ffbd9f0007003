import { randomUUID } from "node:crypto";
import { euro } from "@boxoffice/platform/parse.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import {
  type Change,
  type ChangeBatch,
  ChangeBatchSchema,
  ChangeSchema,
  EventState,
  PaymentState,
  ReservationState,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

/** What the other services publish, in short. Times are milliseconds. */

const NOON_MS = Date.UTC(2026, 5, 1, 12);

export const at = (minutes: number): number => NOON_MS + minutes * 60_000;

export function batchOf(eventId: string, changes: readonly Change[], atMs = NOON_MS): ChangeBatch {
  return create(ChangeBatchSchema, {
    batchId: randomUUID(),
    eventId,
    changes: [...changes],
    changeTime: timestampFromMs(atMs),
  });
}

export type EventInit = {
  version?: number;
  name?: string;
  startsAtMs?: number;
  state?: keyof typeof EventState;
};

export function event(eventId: string, init: EventInit = {}): Change {
  const { version = 1, name = "Opening Night", startsAtMs = at(0), state = "PUBLISHED" } = init;
  return create(ChangeSchema, {
    change: {
      case: "event",
      value: {
        eventId,
        version: BigInt(version),
        name,
        startsAt: timestampFromMs(startsAtMs),
        timeZone: "Europe/Berlin",
        state: EventState[state],
      },
    },
  });
}

export type TicketTypeInit = {
  version?: number;
  position?: number;
  name?: string;
  category?: string;
  quantity?: number;
};

export function ticketType(ticketTypeId: string, init: TicketTypeInit = {}): Change {
  const { version = 1, position = 0, name = "Standing", category = "regular", quantity = 100 } = init;
  return create(ChangeSchema, {
    change: {
      case: "ticketType",
      value: { ticketTypeId, version: BigInt(version), position, name, category, quantity },
    },
  });
}

export type ReservationInit = {
  version?: number;
  state?: keyof typeof ReservationState;
  wasPaid?: boolean;
  createdMs?: number;
  paidMs?: number;
  closedMs?: number;
  /** Quantity and price in cents, by ticket type. */
  items: Record<string, readonly [quantity: number, cents: number]>;
};

/** `name` stands for the reservation's id. A PAID one was paid. */
export function reservation(name: string, init: ReservationInit): Change {
  const { version = 1, state = "HELD", wasPaid = state === "PAID" } = init;
  const { createdMs = at(0), paidMs = createdMs + 120_000, closedMs = createdMs + 900_000 } = init;
  const items = Object.entries(init.items).map(([ticketTypeId, [quantity, cents]]) => ({
    ticketTypeId,
    quantity,
    unitPrice: euro(BigInt(cents)),
  }));
  const isClosed = state === "EXPIRED" || state === "CANCELLED";
  return create(ChangeSchema, {
    change: {
      case: "reservation",
      value: {
        reservationRef: refOf(name),
        version: BigInt(version),
        state: ReservationState[state],
        items,
        total: euro(items.reduce((sum, item) => sum + BigInt(item.quantity) * item.unitPrice.minorUnits, 0n)),
        createTime: timestampFromMs(createdMs),
        expireTime: timestampFromMs(createdMs + 900_000),
        ...(wasPaid && { payTime: timestampFromMs(paidMs) }),
        ...(isClosed && { closeTime: timestampFromMs(closedMs) }),
      },
    },
  });
}

export type PaymentInit = { version?: number; state?: keyof typeof PaymentState; failureReason?: string };

export function payment(paymentId: string, init: PaymentInit = {}): Change {
  const { version = 1, state = "PROCESSING", failureReason = "" } = init;
  return create(ChangeSchema, {
    change: {
      case: "payment",
      value: { paymentId, version: BigInt(version), state: PaymentState[state], failureReason },
    },
  });
}
