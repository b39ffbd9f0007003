import { hash } from "node:crypto";
import type { Wanted } from "@boxoffice/platform/batcher.ts";
import type { Database } from "@boxoffice/platform/database.ts";
import { parseId } from "@boxoffice/platform/parse.ts";
import type { ReserveRequest as ReserveRequestMessage } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { ReserveRequest } from "../domain/decide.ts";
import type { Reservation } from "../domain/reservation.ts";
import type { ReserveLanes } from "../lanes.ts";
import { type At, getReservation } from "../store/read.ts";
import { parseCustomer, parseItems } from "./messages.ts";

export type ReserveCallOptions = { database: Database; reserving: ReserveLanes; newId: () => string };

/** A reservation and whether it was made just now: then it is HELD, and `now` is when. */
export type Reserved = At<Reservation> & { isNew: boolean };

/**
 * Reserves what a checked request asks for, or finds what its request id has reserved before.
 *
 * @throws BoxofficeError why it cannot be had
 */
export async function reserve(
  { database, reserving, newId }: ReserveCallOptions,
  request: ReserveRequestMessage,
  wanted: Wanted,
): Promise<Reserved> {
  const outcome = await reserving.submit(parseReserve(request, newId()), wanted);
  switch (outcome.kind) {
    case "refused":
      throw outcome.error;
    case "made":
      return { value: outcome.reservation, now: outcome.reservation.createdAt, isNew: true };
    case "known":
      return { ...(await getReservation(database, outcome.reservationId)), isNew: false };
  }
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
    contentHash: hasId ? hash("sha256", JSON.stringify(content)) : null,
  };
}
