import { CatalogService, type Event, EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { AGREEMENT_RULES } from "../../checker/agreement.ts";
import { findViolations } from "../../checker/check.ts";
import type { Replica } from "../../faults/box-office.ts";
import { CALL_MOMENTS, CallMoments } from "../../faults/call-moments.ts";
import { until } from "../../faults/until.ts";
import { check, type Proof, type Property } from "../property.ts";
import { told, wordOf } from "../tally.ts";
import { type SaleReplica, saleReplica } from "./replicas.ts";

/** Every act at every moment of its call; in short, three of them. */
const ROUNDS = { full: 24, short: 3 };

/** How long the two may differ after catalog serves again; a machine that is busy with other things gets more. */
const AGREE_WITHIN_MS = { full: 10_000, short: 60_000 };
const KILLED_WITHIN_MS = 60_000;

const DAY_MS = 24 * 60 * 60 * 1_000;
const RESERVED = 5;

/** Catalog is killed at a moment of each of its calls to the sale, and started again. */
export const killedCatalog: Property = {
  name: "killed-catalog",
  says: "catalog killed with -9 around each of its calls to the sale agrees with it again within 10 s",
  async prove(proof) {
    const { office, size } = proof;
    const sale = await saleReplica(office, "steady", "one");
    const moments = new CallMoments(sale.address);
    await moments.start();
    const settings = { RESERVATION_ADDRESS: moments.address };
    const replica = await office.start("catalog", { name: "killed", settings });
    const catalog = await office.connect(CatalogService, replica.address, "operator");
    const violations: string[] = [];
    const eventIds: string[] = [];
    let slowestMs = 0;
    try {
      for (let round = 0; round < ROUNDS[size]; round++) {
        const act = ACTS[round % ACTS.length] as Act;
        // Not the same moment for the same act again, until all are through.
        const moment =
          CALL_MOMENTS[(round + Math.floor(round / ACTS.length)) % CALL_MOMENTS.length] ?? "asked";
        const event = await prepare(proof, catalog, sale, act);
        eventIds.push(event.eventId);
        const killed = moments.at(moment, () => replica.process.killNow());
        const outcome = told(act.carryOut(catalog, event));
        await within(KILLED_WITHIN_MS, killed, `${act.name}: the sale was not called`);
        await outcome;
        const agreed = await untilAgreed(proof, replica, event);
        slowestMs = Math.max(slowestMs, agreed.tookMs);
        violations.push(...agreed.violations.map((one) => `killed when ${moment} about ${act.name}: ${one}`));
        const fault = act.fault(await whole(catalog, event.eventId), event);
        if (fault) violations.push(`killed when ${moment} about ${act.name}: ${fault}`);
      }
    } finally {
      if (replica.process.isRunning) await replica.process.kill();
      await moments.stop();
    }
    violations.push(...(await check(proof, eventIds)));
    return { counts: { kills: ROUNDS[size], "slowest ms": Math.round(slowestMs) }, violations };
  },
};

type Catalog = Client<typeof CatalogService>;

/** Something an operator does of which the sale is told. */
type Act = {
  name: string;
  onDraft?: boolean;
  carryOut(catalog: Catalog, event: Event): Promise<unknown>;
  /** What is wrong with the event afterwards, which was stored before the sale was called. */
  fault(after: Event, before: Event): string | undefined;
};

const firstType = ({ ticketTypes: [type] }: Event) => {
  if (type === undefined) throw new Error("the event has a ticket type");
  return type;
};

const wrongUnless = (holds: boolean, what: string) => (holds ? undefined : what);

const ACTS: readonly Act[] = [
  {
    name: "publishing",
    onDraft: true,
    carryOut: (catalog, { eventId }) => catalog.publishEvent({ eventId }),
    fault: (after) => wrongUnless(after.state === EventState.PUBLISHED, "it is not published"),
  },
  {
    name: "lowering a quantity below what is reserved",
    carryOut: (catalog, event) => change(catalog, event, { quantity: RESERVED - 1 }, "quantity"),
    fault: (after, before) =>
      wrongUnless(firstType(after).quantity === firstType(before).quantity, "the change was not taken back"),
  },
  {
    name: "raising a quantity",
    carryOut: (catalog, event) => change(catalog, event, { quantity: 200 }, "quantity"),
    fault: (after) => wrongUnless(firstType(after).quantity === 200, "the change is lost"),
  },
  {
    name: "adding a ticket type",
    carryOut: (catalog, { eventId }) => catalog.addTicketType({ eventId, ticketType: TICKET_TYPE("Late") }),
    fault: (after, before) =>
      wrongUnless(after.ticketTypes.length === before.ticketTypes.length + 1, "the type is lost"),
  },
  {
    name: "moving the start",
    carryOut: (catalog, { eventId }) =>
      catalog.updateEvent({
        eventId,
        event: { startsAt: timestampFromMs(Math.ceil(Date.now() / 1_000) * 1_000 + 9 * DAY_MS) },
        updateMask: { paths: ["starts_at"] },
      }),
    fault: (after, before) =>
      wrongUnless(after.startsAt?.seconds !== before.startsAt?.seconds, "the change is lost"),
  },
  {
    name: "cancelling",
    carryOut: (catalog, { eventId }) => catalog.cancelEvent({ eventId }),
    fault: (after) => wrongUnless(after.state === EventState.CANCELLED, "it is not cancelled"),
  },
];

const TICKET_TYPE = (name: string) => ({
  name,
  price: { currencyCode: "EUR", minorUnits: 2_500n },
  quantity: 100,
});

function change(catalog: Catalog, event: Event, fields: { quantity: number }, path: string) {
  const { ticketTypeId } = firstType(event);
  const updateMask = { paths: [path] };
  return catalog.updateTicketType({ eventId: event.eventId, ticketTypeId, ticketType: fields, updateMask });
}

/** An event as the act needs it, of which the sale knows all there is to know. */
async function prepare(
  { office }: Proof,
  catalog: Catalog,
  { buyer }: SaleReplica,
  { onDraft = false }: Act,
): Promise<Event> {
  const { event: draft } = await catalog.createEvent({
    event: {
      name: "An evening",
      startsAt: timestampFromMs(Date.now() + DAY_MS),
      timeZone: "Europe/Berlin",
      ticketTypes: [TICKET_TYPE("Seat"), TICKET_TYPE("Box")],
    },
  });
  if (draft === undefined || onDraft) return draft ?? whole(catalog, "");
  const { eventId } = draft;
  await catalog.publishEvent({ eventId });
  const { database, history } = office;
  await until("the sale knows the event", AGREE_WITHIN_MS.short, async () => {
    const found = await findViolations({ database, history, eventIds: [eventId], rules: AGREEMENT_RULES });
    return found.length === 0;
  });
  await buyer.reserve({
    eventId,
    items: [{ ticketTypeId: firstType(draft).ticketTypeId, quantity: RESERVED }],
  });
  return whole(catalog, eventId);
}

/** Starts catalog again, and waits until both sides say the same. */
async function untilAgreed({ office, size }: Proof, replica: Replica, { eventId }: Event) {
  const { database, history } = office;
  await replica.process.start();
  let violations: string[] = [];
  const agree = async () => {
    violations = await findViolations({ database, history, eventIds: [eventId], rules: AGREEMENT_RULES });
    return violations.length === 0;
  };
  const limitMs = AGREE_WITHIN_MS[size];
  const tookMs = await until("both sides agree", limitMs, agree).catch(() => limitMs);
  return { tookMs, violations: violations.map((one) => `after ${tookMs} ms ${one}`) };
}

/** @throws where catalog does not answer within the time in which a client finds it again */
async function whole(catalog: Catalog, eventId: string): Promise<Event> {
  let event: Event | undefined;
  await until("catalog answers", KILLED_WITHIN_MS, async () => {
    const outcome = await told(catalog.getEvent({ eventId }));
    if (outcome.kind === "refused") throw new Error(`event ${eventId} came to ${wordOf(outcome)}`);
    if (outcome.kind === "answered") event = outcome.answer.event;
    return event !== undefined;
  });
  return event as Event;
}

async function within<T>(limitMs: number, work: Promise<T>, what: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(what)), limitMs);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
