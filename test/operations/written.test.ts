import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Database } from "@boxoffice/platform/database.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient, type Interceptor } from "@connectrpc/connect";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { reach } from "../../local/services.ts";
import { terminateBackends } from "../faults/backends.ts";
import { untilOnSale } from "../faults/sale.ts";
import { runJourney } from "../journey/journey.ts";
import { type BoxOffice, startBoxOffice } from "../support/box-office.ts";
import { type CollectedSpan, Collector } from "../support/collector.ts";
import { fetchTransport } from "../support/fetch-transport.ts";

/** What nobody but its owner may read afterwards. */
const CARD = "a-card-that-nobody-may-read";
const EMAIL = "nobody.may.read@example.org";
const NAME = "Nemo Nonesuch";

const collector = new Collector();
let box: BoxOffice;
let database: Database;
let gateway: string;
let event: { eventId: string; ticketTypeId: string };

beforeAll(async () => {
  const settings = {
    LOG_LEVEL: "trace",
    ACCESS_LOG: "all",
    OTEL_EXPORTER_OTLP_ENDPOINT: await collector.start(),
  };
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value);
  box = await startBoxOffice();
  gateway = `http://${reach(box.stack.config, "gateway")}`;
  database = new Database({
    url: box.database.ownerUrl,
    name: "reader",
    log: createLogger("test", "silent"),
  });
  event = await publishEvent();
}, 120_000);

afterAll(async () => {
  await database?.close();
  await box?.end();
  collector.close();
  vi.unstubAllEnvs();
}, 60_000);

/** Clients of the gateway, whose calls say `headers` too. */
function clientsWith(headers: Record<string, string> = {}) {
  const saying: Interceptor = (next) => (request) => {
    for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
    return next(request);
  };
  const transport = fetchTransport({ baseUrl: gateway, json: true, interceptors: [saying] });
  return {
    catalog: createClient(CatalogService, transport),
    sale: createClient(ReservationService, transport),
    cashier: createClient(PaymentService, transport),
  };
}

async function publishEvent() {
  const { catalog, sale } = clientsWith({ authorization: `Bearer ${box.operatorToken}` });
  const created = await catalog.createEvent({
    event: {
      name: "An evening to be read about",
      startsAt: timestampFromMs(Date.now() + 86_400_000),
      timeZone: "Europe/Berlin",
      ticketTypes: [{ name: "Seat", price: { currencyCode: "EUR", minorUnits: 900n }, quantity: 1_000 }],
    },
  });
  const eventId = created.event?.eventId ?? "";
  await catalog.publishEvent({ eventId });
  await untilOnSale(sale, eventId);
  return { eventId, ticketTypeId: created.event?.ticketTypes[0]?.ticketTypeId ?? "" };
}

/** What all processes have logged so far. */
function logged(): string {
  const folder = join(box.folder, "logs");
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
}

const reserve = (sale: ReturnType<typeof clientsWith>["sale"]) =>
  sale.reserve({
    eventId: event.eventId,
    items: [{ ticketTypeId: event.ticketTypeId, quantity: 1 }],
    customer: { name: NAME, email: EMAIL },
  });

async function buyOne({ sale, cashier } = clientsWith()): Promise<void> {
  const { reservation } = await reserve(sale);
  await cashier.payReservation({ reservationId: reservation?.reservationId ?? "", token: CARD });
}

test("one trace leads from the gateway by way of services, statements and NATS to the statistics", async () => {
  const [traceId, spanId] = ["5af92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"];
  await reserve(clientsWith({ traceparent: `00-${traceId}-${spanId}-01` }).sale);
  const inTrace = () => collector.spans.filter((span) => span.traceId === traceId);
  // Each process sends its spans in its own time.
  await vi.waitFor(
    () => {
      const made = inTrace().find(
        (span) => span.name === "transaction" && following(span, "publish") !== undefined,
      );
      const path: CollectedSpan[] = [];
      for (let span = made; span !== undefined; ) {
        path.unshift(span);
        const { parentSpanId } = span;
        span = inTrace().find((other) => other.spanId === parentSpanId);
      }
      const names = path.map((span) => `${span.process} ${span.name}`);
      expect(names).toEqual([
        `gateway ${RESERVE}`,
        expect.stringMatching(/^reservation /),
        ...names.slice(2, -1),
        "reservation transaction",
      ]);
      expect(path[0]?.parentSpanId).toBe(spanId);
      expect(made && following(made, "publish")?.process).toBe("reservation");
      const counted = made && following(made, "count");
      expect(counted?.process).toBe("stats");
      const counting = collector.spans.filter(({ parentSpanId }) => parentSpanId === counted?.spanId);
      expect(counting.map(({ name }) => name)).toContain("transaction");
    },
    { timeout: 20_000, interval: 100 },
  );
}, 30_000);

const RESERVE = "boxoffice.reservation.v1.ReservationService/Reserve";

/** What was done with a span's message: as its child, or, where several were published or counted together, by a link. */
const following = ({ spanId }: CollectedSpan, name: string) =>
  collector.spans.find(
    (span) =>
      span.name === name &&
      (span.parentSpanId === spanId || span.links.some((link) => link.spanId === spanId)),
  );

test("a line of the log that belongs to a call names its trace", async () => {
  const traceId = "6bf92f3577b34da6a3ce929d0e0e4736";
  const { sale } = clientsWith({ traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
  await sale.getReservation({ reservationId: randomUUID() }).catch(() => undefined);
  const lines = () =>
    logged()
      .split("\n")
      .filter((line) => line.includes(`"trace_id":"${traceId}"`))
      .map((line) => JSON.parse(line));
  await expect.poll(lines).toHaveLength(1);
  expect(lines()[0]).toMatchObject({
    service: "gateway",
    msg: "request",
    route: "/boxoffice.reservation.v1.ReservationService/GetReservation",
  });
});

test("whatever happens to buyers, nothing that is theirs is in a log or a trace", async () => {
  await runJourney({ address: gateway, token: box.operatorToken });
  await buyOne();
  await sayEverythingWrong();
  await buyWhileConnectionsBreak();

  const ids = await database.query<{ id: string }>({
    text: "select reservation_id as id from reservation.reservations",
  });
  expect(ids.length).toBeGreaterThan(20);
  const secrets = [
    CARD,
    EMAIL,
    NAME,
    "ada@example.com",
    "Ada Lovelace",
    box.operatorToken,
    ...ids.map(({ id }) => id),
  ];
  // The last lines and spans are written when the processes stop, a second later at most.
  await expect
    .poll(() => collector.spans.filter(({ name }) => name.endsWith("/PayReservation")).length)
    .toBeGreaterThan(5);
  const log = logged();
  const traces = collector.bodies.join("\n");
  expect(log.match(/"msg":"request"/g)?.length).toBeGreaterThan(100);
  expect(log).toContain("lost a connection to the database");
  for (const [what, text] of Object.entries({ log, traces })) {
    const leaked = secrets.filter((secret) => text.includes(secret));
    expect([what, leaked]).toEqual([what, []]);
    expect([what, /\beyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(text)?.[0]]).toEqual([what, undefined]); // any other JWT
  }
}, 120_000);

/** Where people and programs put things that belong elsewhere. */
async function sayEverythingWrong(): Promise<void> {
  const { reservation } = await reserve(clientsWith().sale);
  const reservationId = reservation?.reservationId ?? "";
  const pay = `${gateway}/boxoffice.payment.v1.PaymentService/PayReservation`;
  const json = { "content-type": "application/json" };
  const message = encodeURIComponent(JSON.stringify({ reservationId, token: CARD }));
  const whole = JSON.stringify({ reservationId, token: CARD });
  for (const [url, init] of [
    [`${pay}?encoding=json&message=${message}`, {}],
    [`${gateway}/${reservationId}/${CARD}`, {}],
    [pay, { method: "POST", headers: json, body: whole.slice(0, -1) }],
    [pay, { method: "POST", headers: json, body: JSON.stringify({ [reservationId]: CARD }) }],
    [
      pay,
      {
        method: "POST",
        headers: json,
        body: JSON.stringify({ reservationId: { reservationId }, token: CARD }),
      },
    ],
    [
      pay,
      { method: "POST", headers: { ...json, authorization: `Bearer ${box.operatorToken}x` }, body: whole },
    ],
    [pay, { method: "POST", headers: { ...json, traceparent: reservationId }, body: whole }],
  ] as [string, RequestInit][])
    await (await fetch(url, init)).arrayBuffer();
  const transport = createGrpcTransport(reach(box.stack.config, "payment"), { defaultTimeoutMs: 10_000 });
  const direct = createRpcClient(PaymentService, transport);
  for (const order of [
    { reservationId, token: CARD, currencyCode: "USD" },
    { reservationId: `${reservationId}x`, token: CARD },
    { reservationId, token: `${CARD}\u0000` },
  ])
    await direct.payReservation(order).catch(() => undefined);
  transport.close();
}

/** A database that breaks off in the middle of a statement is what tempts most to log the statement. */
async function buyWhileConnectionsBreak(): Promise<void> {
  for (let round = 0; round < 6; round++) {
    const buying = Array.from({ length: 10 }, () => buyOne().catch(() => undefined));
    await terminateBackends(database, round % 2 === 0 ? "reservation" : "payment");
    await Promise.all(buying);
  }
}
