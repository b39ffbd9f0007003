import type { Database } from "@boxoffice/platform/database.ts";
import { invalidField } from "@boxoffice/platform/errors.ts";
import { euro, parseId, parseTime } from "@boxoffice/platform/parse.ts";
import { encodedAnswer } from "@boxoffice/platform/rpc/encoded.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import { toStatus } from "@boxoffice/platform/rpc/status.ts";
import { checkRequest } from "@boxoffice/platform/rpc/validate.ts";
import { isTracing, traced } from "@boxoffice/platform/tracing.ts";
import { ReserveRequestSchema } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import {
  type ReserveManyItem,
  ReserveManyResponseSchema,
  ReserveResultSchema,
  SalesService,
  type SaleTicketType,
} from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { ChangeRequest } from "../domain/change.ts";
import { abort, begin, confirm, releasePaid } from "../domain/transitions.ts";
import type { ChangeLane } from "../lanes.ts";
import { changeTicketType, closeSales, openSales } from "../store/sale.ts";
import { change } from "./change.ts";
import { exportChanges } from "./exports.ts";
import { HoldAnswers } from "./hold-answers.ts";
import { parseTicketType, toReservationMessage } from "./messages.ts";
import { type ReserveCallOptions, reserve } from "./reserve.ts";

export type SalesServiceOptions = ReserveCallOptions & {
  database: Database;
  changing: ChangeLane;
  /** A hold with less time left cannot begin to be paid, in milliseconds. */
  payMarginMs: number;
  /** Called after a commit, with the events of which something else may be for sale now. */
  onCommit(eventIds: Iterable<string>): void;
};

/** What catalog, payment and the gateway ask of reservations. */
export function salesService(options: SalesServiceOptions): RpcService {
  const { database, newId, changing, payMarginMs, onCommit } = options;
  const sale = { database, newId };

  async function beginPayment(request: PaymentRequest) {
    const decide = wish(request, (facts, paymentId) => begin(facts, paymentId, payMarginMs));
    const { value, now } = await change(changing, decide);
    const reservation = toReservationMessage(value, now);
    return { amount: euro(value.totalMinor), eventId: value.eventId, reservation };
  }

  async function confirmPayment(request: PaymentRequest) {
    return reservationOf(await change(changing, wish(request, confirm)));
  }

  async function abortPayment(request: PaymentRequest) {
    return reservationOf(await change(changing, { ...wish(request, abort), abortsPayment: true }));
  }

  async function releaseOne(request: PaymentRequest & { keepOffSale: boolean }) {
    const decide = wish(request, (facts, paymentId) => releasePaid(facts, paymentId, request.keepOffSale));
    return reservationOf(await change(changing, decide));
  }

  const holdResults = new HoldAnswers([
    ReserveManyResponseSchema.field.results,
    ReserveResultSchema.field.reservation,
  ]);

  /** One of many, as an answer that holds its result alone: such answers after each other are one that holds all. */
  function reserveOne(item: ReserveManyItem, signal: AbortSignal): Promise<Uint8Array> {
    if (!isTracing()) return decideOne(item, signal);
    return traced("Reserve", { kind: "SERVER", parent: item.traceparent }, () => decideOne(item, signal));
  }

  async function decideOne({ request, timeoutMs }: ReserveManyItem, signal: AbortSignal) {
    try {
      if (request === undefined) throw invalidField("request", "must be set");
      checkRequest(ReserveRequestSchema, request);
      const untilMs = timeoutMs > 0 ? Date.now() + timeoutMs : Number.POSITIVE_INFINITY;
      const { value, now, isNew } = await reserve(options, request, { signal, untilMs });
      if (isNew) return holdResults.encode(value);
      return encodeResult({ case: "reservation", value: toReservationMessage(value, now) });
    } catch (error) {
      return encodeResult(toErrorOutcome(error));
    }
  }

  return service(SalesService, {
    async openSales(request) {
      const eventId = parseId(request.eventId);
      await openSales(sale, {
        eventId,
        version: request.version,
        startsAt: parseTime("starts_at", required(request.startsAt)),
        ticketTypes: request.ticketTypes.map((type, index) =>
          parseTicketType(`ticket_types[${index}]`, type),
        ),
      });
      onCommit([eventId]);
      return {};
    },

    async changeTicketType(request) {
      const eventId = parseId(request.eventId);
      await changeTicketType(sale, {
        eventId,
        version: request.version,
        ticketType: parseTicketType("ticket_type", required<SaleTicketType>(request.ticketType)),
      });
      onCommit([eventId]);
      return {};
    },

    async closeSales(request) {
      const eventId = parseId(request.eventId);
      await closeSales(sale, eventId, request.version);
      onCommit([eventId]);
      return {};
    },

    beginPayment,
    confirmPayment,
    abortPayment,
    releasePaid: releaseOne,
    beginPayments: async ({ items }) => ({ results: await doEach(items, beginPayment) }),
    confirmPayments: async ({ items }) => ({ results: await doEach(items, confirmPayment) }),
    abortPayments: async ({ items }) => ({ results: await doEach(items, abortPayment) }),
    releasePaids: async ({ items }) => ({ results: await doEach(items, releaseOne) }),

    async reserveMany({ items }, { signal }) {
      const results = await Promise.all(items.map((item) => reserveOne(item, signal)));
      return encodedAnswer(ReserveManyResponseSchema, Buffer.concat(results));
    },

    async *export(request) {
      const eventId = request.eventId === "" ? null : parseId(request.eventId);
      for await (const batches of exportChanges(database, eventId)) yield { batches };
    },
  });
}

type PaymentRequest = { reservationId: string; paymentId: string };

/** A wish to change the reservation that a payment is for. */
function wish(
  request: PaymentRequest,
  decide: (
    facts: Parameters<ChangeRequest["decide"]>[0],
    paymentId: string,
  ) => ReturnType<ChangeRequest["decide"]>,
): ChangeRequest {
  const paymentId = parseId(request.paymentId);
  return {
    reservationId: parseId(request.reservationId),
    paymentId,
    abortsPayment: false,
    decide: (facts) => decide(facts, paymentId),
  };
}

const reservationOf = ({ value, now }: Awaited<ReturnType<typeof change>>) => ({
  reservation: toReservationMessage(value, now),
});

/** Handed in together, items meet in the same batches; each has a result of its own. */
async function doEach<Item, Done>(items: readonly Item[], act: (item: Item) => Promise<Done>) {
  const outcomes = await Promise.all(
    items.map((item) => act(item).then((value) => ({ case: "done" as const, value }), toErrorOutcome)),
  );
  return outcomes.map((outcome) => ({ outcome }));
}

function encodeResult(outcome: MessageInitShape<typeof ReserveResultSchema>["outcome"]): Uint8Array {
  const answer = create(ReserveManyResponseSchema, { results: [{ ...(outcome && { outcome }) }] });
  return toBinary(ReserveManyResponseSchema, answer);
}

const toErrorOutcome = (error: unknown) => ({ case: "error" as const, value: toStatus(error) });

/** The contract's rules say that it is set. */
function required<T extends Timestamp | SaleTicketType>(value: T | undefined): T {
  if (value === undefined) throw new Error("the contract's rules let no request without it through");
  return value;
}
