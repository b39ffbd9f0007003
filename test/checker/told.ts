import {
  type Reservation,
  ReservationSchema,
  ReservationService,
  ReservationState,
  type ReserveRequest,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Books, ReservationBook } from "./books.ts";
import type { History } from "./history.ts";
import { stateName } from "./state-name.ts";

/**
 * Where what clients were told differs from what is: every reservation that somebody was told of exists, with what
 * they were told, in a state that can follow; one reservation per request id; and no reservation that nobody asked
 * for.
 *
 * @param eventIds only what was told of these events; null for all
 */
export function toldViolations(
  books: Books,
  history: History,
  eventIds: ReadonlySet<string> | null,
): string[] {
  const isMeant = (eventId: string) => eventIds === null || eventIds.has(eventId);
  const sightings = sightingsIn(history).filter(({ told }) => isMeant(told.eventId));
  const reserves = history
    .of(ReservationService.method.reserve)
    .filter(({ request }) => isMeant(request.eventId));
  return [
    ...sightings.flatMap((sighting) => sightingFaults(sighting, books)),
    ...orderViolations(sightings),
    ...reserves.flatMap(answerFaults),
    ...requestViolations(reserves),
    ...refusedRepeats(books, reserves),
    ...unexplained(books, reserves),
  ];
}

/** A reservation as somebody was told of it. */
type Sighting = { told: Reservation; method: string; startedAtMs: number; endedAtMs: number };

/** What may become of a reservation in each state, in any number of steps. */
const CAN_BECOME: Record<string, readonly string[]> = {
  HELD: ["HELD", "PAYING", "PAID", "EXPIRED", "CANCELLED"],
  PAYING: ["HELD", "PAYING", "PAID", "EXPIRED", "CANCELLED"],
  PAID: ["PAID", "CANCELLED"],
  EXPIRED: ["EXPIRED"],
  CANCELLED: ["CANCELLED"],
};

const canBecome = (before: string, after: string): boolean => CAN_BECOME[before]?.includes(after) ?? false;

/** Every reservation in every answer, wherever in it: so new methods are seen without a word here. */
function sightingsIn({ calls }: History): Sighting[] {
  return calls.flatMap(({ method, told, startedAtMs, endedAtMs }) =>
    told.kind !== "answered"
      ? []
      : reservationsIn(told.answer).map((reservation) => ({
          told: reservation,
          method,
          startedAtMs,
          endedAtMs,
        })),
  );
}

function reservationsIn(value: unknown): Reservation[] {
  if (Array.isArray(value)) return value.flatMap(reservationsIn);
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return [];
  if ("$typeName" in value && value.$typeName === ReservationSchema.typeName) return [value as Reservation];
  return Object.values(value).flatMap(reservationsIn);
}

function sightingFaults({ told, method }: Sighting, { reservations, now }: Books): string[] {
  const about = `${method} told of reservation ${told.reservationId}`;
  const real = reservations.get(told.reservationId);
  if (real === undefined) return [`${about}, which does not exist`];
  const state = stateName(told.state);
  const faults: string[] = [];
  if (!canBecome(state, stateAt(real, now))) faults.push(`${about} that it is ${state}: it is ${real.state}`);
  for (const [what, toldOf, is] of comparisons(told, real)) {
    if (toldOf !== is) faults.push(`${about} that its ${what} is ${toldOf}: it is ${is}`);
  }
  return faults;
}

/** A hold past its time is expired, whether or not the sweeper has been there. */
const stateAt = ({ state, expiresAt }: ReservationBook, now: Date): string =>
  state === "HELD" && now >= expiresAt ? "EXPIRED" : state;

function comparisons(told: Reservation, real: ReservationBook): [what: string, told: unknown, is: unknown][] {
  const ms = (time: Timestamp | undefined) => (time ? timestampMs(time) : undefined);
  const priceOf = (item: Reservation["items"][number]) => item.unitPrice?.minorUnits ?? -1n;
  return [
    ["event", told.eventId, real.eventId],
    ["total", told.total?.minorUnits, real.totalMinor],
    ["creation", ms(told.createTime), real.createdAt.getTime()],
    ["end", ms(told.expireTime), real.expiresAt.getTime()],
    [
      "content",
      textOf(told.items.map((item) => ({ ...item, unitPriceMinor: priceOf(item) }))),
      textOf(real.items),
    ],
    ...(told.state === ReservationState.PAID
      ? [["payment", told.paymentId, real.paymentId] as [string, string, string | null]]
      : []),
  ];
}

/** Of two answers the later one may not tell what cannot have followed. */
function orderViolations(sightings: readonly Sighting[]): string[] {
  const byReservation = Map.groupBy(sightings, ({ told }) => told.reservationId);
  return [...byReservation].flatMap(([reservationId, own]) => {
    const begun = own.toSorted((a, b) => a.startedAtMs - b.startedAtMs);
    const ended = own.toSorted((a, b) => a.endedAtMs - b.endedAtMs);
    const before = new Map<ReservationState, Sighting>();
    const violations = new Set<string>();
    let next = 0;
    for (const later of begun) {
      for (let known = ended[next]; known && known.endedAtMs < later.startedAtMs; known = ended[++next]) {
        before.set(known.told.state, known);
      }
      for (const earlier of before.values()) {
        const [first, then] = [stateName(earlier.told.state), stateName(later.told.state)];
        if (canBecome(first, then)) continue;
        const story = `${earlier.method} told ${first}, and later ${later.method} told ${then}`;
        violations.add(`reservation ${reservationId}: ${story}`);
      }
    }
    return [...violations];
  });
}

type ReserveCall = ReturnType<typeof reserveCalls>[number];
const reserveCalls = (history: History) => history.of(ReservationService.method.reserve);

/** Whoever is granted something is granted what they asked for. */
function answerFaults({ request, told }: ReserveCall): string[] {
  if (told.kind !== "answered") return [];
  const { reservation } = told.answer;
  if (reservation === undefined) return ["Reserve answered without a reservation"];
  const asked = `${request.eventId}: ${wishOf(request.items)}`;
  const granted = `${reservation.eventId}: ${wishOf(reservation.items)}`;
  if (asked === granted) return [];
  return [`Reserve was asked for ${asked}, and granted ${granted} in ${reservation.reservationId}`];
}

/** One reservation per request id, and REQUEST_ID_REUSED only for one that was used for something else. */
function requestViolations(reserves: readonly ReserveCall[]): string[] {
  const withId = reserves.filter(({ request }) => request.requestId !== "");
  return [...Map.groupBy(withId, ({ request }) => request.requestId)].flatMap(([requestId, calls]) => {
    const violations: string[] = [];
    const made = new Set(calls.flatMap(({ told }) => madeBy(told)));
    if (made.size > 1) {
      violations.push(
        `request id ${requestId} was answered with several reservations: ${[...made].join(", ")}`,
      );
    }
    const contents = new Set(calls.map(({ request }) => contentOf(request)));
    const isReused = calls.some(({ told }) => told.kind === "refused" && told.reason === "REQUEST_ID_REUSED");
    if (isReused && contents.size === 1) {
      violations.push(`request id ${requestId} was refused as reused, and was used for one thing only`);
    }
    return violations;
  });
}

/**
 * Who repeats a request that has its tickets is never told that they are sold out. It shows where nobody else ever
 * reserved the type, of which there were enough all the time.
 */
function refusedRepeats(
  { reservations, types, announced }: Books,
  reserves: readonly ReserveCall[],
): string[] {
  const takers = new Map<string, ReservationBook[]>();
  for (const reservation of reservations.values()) {
    for (const { ticketTypeId } of reservation.items) {
      takers.set(ticketTypeId, [...(takers.get(ticketTypeId) ?? []), reservation]);
    }
  }
  return reserves.flatMap(({ request, told }) => {
    if (told.kind !== "refused" || told.reason !== "SOLD_OUT" || request.requestId === "") return [];
    const typeId = told.metadata.ticket_type_id ?? "";
    const [own, ...others] = takers.get(typeId) ?? [];
    const wanted = own?.items.find(({ ticketTypeId }) => ticketTypeId === typeId)?.quantity ?? 0;
    const isOwn = own?.requestId === request.requestId && others.length === 0;
    const isResized = announced.types.get(typeId)?.length !== 1;
    if (!isOwn || isResized || wanted > (types.get(typeId)?.quantity ?? 0)) return [];
    return [`request id ${request.requestId} was told that ${typeId} is sold out, which it has itself`];
  });
}

function madeBy(told: ReserveCall["told"]): string[] {
  return told.kind === "answered" && told.answer.reservation ? [told.answer.reservation.reservationId] : [];
}

/** Reservations whose making nobody was told of, and which no call that is still open can have made. */
function unexplained({ reservations }: Books, reserves: readonly ReserveCall[]): string[] {
  const acknowledged = new Set(reserves.flatMap(({ told }) => madeBy(told)));
  const open = new Map<string, number>();
  for (const { request, told } of reserves) {
    if (told.kind !== "unknown") continue;
    const key = `${request.requestId} ${contentOf(request)}`;
    // However often a request id is sent, it makes one reservation.
    open.set(key, request.requestId === "" ? (open.get(key) ?? 0) + 1 : 1);
  }
  const violations: string[] = [];
  for (const { reservationId, eventId, requestId, items } of reservations.values()) {
    if (acknowledged.has(reservationId)) continue;
    const key = `${requestId ?? ""} ${eventId}: ${wishOf(items)}`;
    const left = open.get(key) ?? 0;
    if (left === 0) violations.push(`reservation ${reservationId} exists, and no call can have made it`);
    else open.set(key, left - 1);
  }
  return violations;
}

const contentOf = ({ eventId, items }: ReserveRequest): string => `${eventId}: ${wishOf(items)}`;

const wishOf = (items: readonly { ticketTypeId: string; quantity: number }[]): string =>
  items
    .map(({ ticketTypeId, quantity }) => `${quantity} of ${ticketTypeId}`)
    .sort()
    .join(", ");

const textOf = (
  items: readonly { ticketTypeId: string; quantity: number; unitPriceMinor: bigint }[],
): string =>
  items
    .map(
      ({ ticketTypeId, quantity, unitPriceMinor }) => `${quantity} of ${ticketTypeId} at ${unitPriceMinor}`,
    )
    .sort()
    .join(", ");
