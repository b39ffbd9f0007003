import { createHash, randomUUID } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import {
  type CatalogService,
  type Event,
  EventState,
} from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import {
  type Reservation,
  type ReservationService,
  ReservationState,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { Client } from "@connectrpc/connect";
import { type DemoEvent, demoEvents } from "./demo-events.ts";

/** What demo data is made with: the public contract, as an operator. */
export type DemoClients = {
  catalog: Client<typeof CatalogService>;
  reservation: Client<typeof ReservationService>;
  payment: Client<typeof PaymentService>;
};

/** Something on sale, for the examples that the start shows. */
export type Showcase = { eventId: string; ticketTypeId: string };

type Progress = {
  /** Request ids are made of it, so that those of another data folder never meet ours. */
  seed: string;
  firstStart: string;
  done: boolean;
  showcase?: Showcase;
};

const OPENING_LIMIT_MS = 15_000;
const PURCHASE_TRIES = 5;

/**
 * Puts the demo events on sale, once per data folder. What was cut in the middle is taken up again at the next
 * start: every request carries an id, so that nothing is made twice. A database that has events already, and
 * not from here, is left alone.
 *
 * @param file where the data folder remembers how far this went
 * @returns something to show, where demo events were made
 */
export async function ensureDemo(file: string, clients: DemoClients): Promise<Showcase | undefined> {
  const progress = read(file) ?? (await begin(clients));
  if (progress.done) return progress.showcase;
  save(file, progress);

  const made: Event[] = [];
  for (const demo of demoEvents(new Date(progress.firstStart)))
    made.push(await makeEvent(demo, progress.seed, clients));
  const [first] = made;
  const ticketTypeId = first?.ticketTypes[0]?.ticketTypeId;
  const showcase = first && ticketTypeId ? { eventId: first.eventId, ticketTypeId } : undefined;
  save(file, { ...progress, done: true, ...(showcase && { showcase }) });
  return showcase;
}

async function begin({ catalog }: DemoClients): Promise<Progress> {
  const { events } = await catalog.listEvents({ pageSize: 1 });
  return { seed: randomUUID(), firstStart: new Date().toISOString(), done: events.length > 0 };
}

async function makeEvent(demo: DemoEvent, seed: string, clients: DemoClients): Promise<Event> {
  const { catalog } = clients;
  const created = await catalog.createEvent({ event: demo.event, requestId: requestId(seed, demo.key) });
  let event = only(created.event);
  if (event.state === EventState.DRAFT)
    event = only((await catalog.publishEvent({ eventId: event.eventId })).event);
  event = await whenDelivered(event, catalog);
  for (const [index, purchase] of (demo.purchases ?? []).entries()) {
    await buy(event, purchase, `${seed}/${demo.key}/${index}`, clients);
  }
  if (!demo.isCancelled || event.state === EventState.CANCELLED) return event;
  return only((await catalog.cancelEvent({ eventId: event.eventId })).event);
}

/** A published event is on sale when the reservation service has heard of it. */
async function whenDelivered(event: Event, catalog: DemoClients["catalog"]): Promise<Event> {
  let current = event;
  for (const deadline = Date.now() + OPENING_LIMIT_MS; current.changePending; ) {
    if (Date.now() > deadline) throw new Error(`the sale of "${event.name}" does not open`);
    await delay(50);
    current = only((await catalog.getEvent({ eventId: event.eventId })).event);
  }
  return current;
}

/** Reserves and pays. A hold of a start that was cut may have expired since: then it is made anew. */
async function buy(
  event: Event,
  quantities: Record<string, number>,
  name: string,
  { reservation, payment }: DemoClients,
): Promise<void> {
  const items = event.ticketTypes
    .filter((type) => quantities[type.name] !== undefined)
    .map(({ ticketTypeId, name: typeName }) => ({ ticketTypeId, quantity: quantities[typeName] ?? 0 }));
  for (let attempt = 0; attempt < PURCHASE_TRIES; attempt++) {
    const id = requestId(name, String(attempt));
    const reserved = only<Reservation>(
      (await reservation.reserve({ eventId: event.eventId, items, requestId: id })).reservation,
    );
    if (reserved.state === ReservationState.PAID) return;
    if (reserved.state !== ReservationState.HELD && reserved.state !== ReservationState.PAYING) continue;
    await payment.payReservation({ reservationId: reserved.reservationId, token: "demo", requestId: id });
    return;
  }
}

/** A UUID that depends on nothing but the two texts. */
function requestId(seed: string, name: string): string {
  const hex = createHash("sha256").update(`${seed}/${name}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function read(file: string): Progress | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Progress;
  } catch {
    return undefined;
  }
}

function save(file: string, progress: Progress): void {
  writeFileSync(`${file}.new`, JSON.stringify(progress));
  renameSync(`${file}.new`, file);
}

function only<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("an answer is empty");
  return value;
}
