import { listAuditEntries } from "@boxoffice/platform/audit.ts";
import type { Database } from "@boxoffice/platform/database.ts";
import { cutPage, parsePage, sortKey } from "@boxoffice/platform/pages.ts";
import { parseId, parseOptionalTime } from "@boxoffice/platform/parse.ts";
import { actOf, callerOf } from "@boxoffice/platform/rpc/access.ts";
import { encodedAnswer } from "@boxoffice/platform/rpc/encoded.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import {
  ReservationService,
  ReservationState,
  ReserveResponseSchema,
  type WatchAvailabilityResponse,
  WatchAvailabilityResponseSchema,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import {
  RESERVATION_STATES,
  type Reservation,
  type ReservationState as State,
} from "../domain/reservation.ts";
import { cancel } from "../domain/transitions.ts";
import type { ChangeLane } from "../lanes.ts";
import { type At, getAvailability, getReservation, listReservations, recount } from "../store/read.ts";
import { pauseSales } from "../store/sale.ts";
import { AvailabilityWatches, type WatchesOptions } from "../watches.ts";
import { change } from "./change.ts";
import { reservationsCsv } from "./exports.ts";
import { HoldAnswers } from "./hold-answers.ts";
import { toAvailabilityMessage, toReservationMessage } from "./messages.ts";
import { type ReserveCallOptions, reserve } from "./reserve.ts";

export type ReservationServiceOptions = ReserveCallOptions & {
  changing: ChangeLane;
  watches: AvailabilityWatches<WatchAvailabilityResponse>;
  /** Called after a commit, with the events of which something else may be for sale now. */
  onCommit(eventIds: Iterable<string>): void;
};

/** What buyers and operators ask of reservations. */
export function reservationService(options: ReservationServiceOptions): RpcService {
  const { database, changing, newId, watches, onCommit } = options;
  const holdAnswers = new HoldAnswers([ReserveResponseSchema.field.reservation]);
  async function pause(
    request: { eventId: string; reason: string },
    context: HandlerContext,
    isPaused: boolean,
  ) {
    const eventId = parseId(request.eventId);
    await pauseSales({ database, newId }, eventId, isPaused, actOf(context, request.reason));
    onCommit([eventId]);
    return {};
  }

  return service(ReservationService, {
    getAvailability: (request) => readAvailability(database, parseId(request.eventId)),

    watchAvailability: (request, { signal }) => watches.watch(parseId(request.eventId), signal),

    async reserve(request, context) {
      const { signal } = context;
      const reserved = await reserve(options, request, { signal });
      if (reserved.isNew && !shown(context).showCustomer) {
        return encodedAnswer(ReserveResponseSchema, holdAnswers.encode(reserved.value));
      }
      return { reservation: toMessage(reserved, context) };
    },

    async getReservation(request, context) {
      return {
        reservation: toMessage(await getReservation(database, parseId(request.reservationId)), context),
      };
    },

    async cancelReservation(request, context) {
      const reservationId = parseId(request.reservationId);
      const wish = { reservationId, paymentId: null, abortsPayment: false, decide: cancel };
      const { signal } = context;
      return { reservation: toMessage(await change(changing, wish, { signal }), context) };
    },

    async listReservations(request, context) {
      const { size, after } = parsePage(request, sortKey.id);
      const filter = {
        eventId: request.eventId === "" ? null : parseId(request.eventId),
        states: request.states.map(parseState),
        email: request.email === "" ? null : request.email,
        createdFrom: parseOptionalTime("create_time.from", request.createTime?.from),
        createdUntil: parseOptionalTime("create_time.until", request.createTime?.until),
      };
      const { value, now } = await listReservations(database, filter, after?.[0], size + 1);
      const { page, nextPageToken } = cutPage(value, size, ({ reservationId }) => [reservationId]);
      return {
        reservations: page.map((reservation) => toMessage({ value: reservation, now }, context)),
        nextPageToken,
      };
    },

    pauseSales: (request, context) => pause(request, context, true),
    resumeSales: (request, context) => pause(request, context, false),

    async recount(request) {
      const ticketTypes = await recount(database, parseId(request.eventId));
      const consistent = ticketTypes.every(
        ({ booked, counted }) => JSON.stringify(booked) === JSON.stringify(counted),
      );
      return { ticketTypes, consistent };
    },

    listAuditEntries: (request) => listAuditEntries(database, "reservation", request),

    async *exportReservations(request) {
      const states = request.states.map(parseState);
      for await (const csv of reservationsCsv(database, parseId(request.eventId), states)) yield { csv };
    },
  });
}

/** Reads what is left of events for all who watch them. */
export function availabilityWatches({
  database,
  ...options
}: Pick<WatchesOptions<unknown>, "runtime" | "log"> & { database: Database }) {
  return new AvailabilityWatches<WatchAvailabilityResponse>({
    ...options,
    read: async (eventId) =>
      create(WatchAvailabilityResponseSchema, await readAvailability(database, eventId)),
    bytesOf: (answer) => toBinary(WatchAvailabilityResponseSchema, answer),
  });
}

async function readAvailability(database: Database, eventId: string) {
  const { value, now } = await getAvailability(database, eventId);
  return toAvailabilityMessage(value.event, value.types, now);
}

function parseState(state: ReservationState): State {
  const name = RESERVATION_STATES.find((known) => ReservationState[known] === state);
  if (name === undefined) throw new Error("the contract's rules let only known states through");
  return name;
}

const toMessage = ({ value, now }: At<Reservation>, context: HandlerContext) =>
  toReservationMessage(value, now, shown(context));

const shown = (context: HandlerContext) => ({ showCustomer: callerOf(context).kind === "operator" });
