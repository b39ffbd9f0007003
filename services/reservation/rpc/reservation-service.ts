import { createHash } from "node:crypto";
import type { Database } from "@boxoffice/platform/database.ts";
import { cutPage, parsePage, sortKey } from "@boxoffice/platform/pages.ts";
import { parseId, parseOptionalTime } from "@boxoffice/platform/parse.ts";
import { callerOf } from "@boxoffice/platform/rpc/access.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import {
  ReservationService,
  ReservationState,
  type ReserveRequest as ReserveRequestMessage,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { HandlerContext } from "@connectrpc/connect";
import type { ReserveRequest } from "../domain/decide.ts";
import {
  RESERVATION_STATES,
  type Reservation,
  type ReservationState as State,
} from "../domain/reservation.ts";
import { cancel } from "../domain/transitions.ts";
import type { ReserveLanes } from "../reserve-lanes.ts";
import { changeReservation } from "../store/change.ts";
import { type At, getAvailability, getReservation, listReservations, recount } from "../store/read.ts";
import { pauseSales } from "../store/sale.ts";
import { parseCustomer, parseItems, toAvailabilityMessage, toReservationMessage } from "./messages.ts";

export type ReservationServiceOptions = {
  database: Database;
  lanes: ReserveLanes;
  newId: () => string;
  /** Called after a commit that wrote to the outbox. */
  onCommit(): void;
};

/** What buyers and operators ask of reservations. */
export function reservationService(options: ReservationServiceOptions): RpcService {
  const { database, lanes, newId, onCommit } = options;
  return service(ReservationService, {
    async getAvailability(request) {
      const { value, now } = await getAvailability(database, parseId(request.eventId));
      return toAvailabilityMessage(value.event, value.types, now);
    },

    async reserve(request, context) {
      const outcome = await lanes.submit(parseReserve(request, newId()), context.signal);
      if (outcome.kind === "refused") throw outcome.error;
      if (outcome.kind === "made") {
        const { reservation } = outcome;
        return { reservation: toReservationMessage(reservation, reservation.createdAt, shown(context)) };
      }
      return { reservation: toMessage(await getReservation(database, outcome.reservationId), context) };
    },

    async getReservation(request, context) {
      return {
        reservation: toMessage(await getReservation(database, parseId(request.reservationId)), context),
      };
    },

    async cancelReservation(request, context) {
      const { reservation, now } = await changeReservation({
        database,
        newId,
        reservationId: parseId(request.reservationId),
        decide: cancel,
      });
      onCommit();
      return { reservation: toMessage({ value: reservation, now }, context) };
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

    async pauseSales(request) {
      await pauseSales({ database, newId }, parseId(request.eventId), true);
      return {};
    },

    async resumeSales(request) {
      await pauseSales({ database, newId }, parseId(request.eventId), false);
      return {};
    },

    async recount(request) {
      const ticketTypes = await recount(database, parseId(request.eventId));
      const consistent = ticketTypes.every(
        ({ booked, counted }) => JSON.stringify(booked) === JSON.stringify(counted),
      );
      return { ticketTypes, consistent };
    },
  });
}

function parseReserve(request: ReserveRequestMessage, reservationId: string): ReserveRequest {
  const content = {
    eventId: parseId(request.eventId),
    items: parseItems(request.items),
    customer: parseCustomer(request.customer),
  };
  const hasId = request.requestId !== "";
  return {
    reservationId,
    ...content,
    requestId: hasId ? parseId(request.requestId) : null,
    contentHash: hasId ? createHash("sha256").update(JSON.stringify(content)).digest("hex") : null,
  };
}

function parseState(state: ReservationState): State {
  const name = RESERVATION_STATES.find((known) => ReservationState[known] === state);
  if (name === undefined) throw new Error("the contract's rules let only known states through");
  return name;
}

const toMessage = ({ value, now }: At<Reservation>, context: HandlerContext) =>
  toReservationMessage(value, now, shown(context));

const shown = (context: HandlerContext) => ({ showCustomer: callerOf(context).kind === "operator" });
