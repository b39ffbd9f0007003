import { join } from "node:path";
import { createTokenIssuer, OPERATOR_AUDIENCE, OPERATOR_ROLE } from "@boxoffice/platform/auth/tokens.ts";
import { accessOf, isPublished } from "@boxoffice/platform/rpc/access.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { Caller } from "@boxoffice/proto/boxoffice/common/v1/access_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { SalesService } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { Health } from "@boxoffice/proto/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@boxoffice/proto/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "@boxoffice/proto/grpc/reflection/v1alpha/reflection_pb.ts";
import type { DescMethod } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { type ProcessName, SERVICES, type Service } from "../../../local/config.ts";
import { freePort } from "../../../local/ports.ts";
import type { FaultBoxOffice, Replica } from "../../faults/box-office.ts";
import { startNats } from "../../faults/nats.ts";
import { openEvent, untilOnSale } from "../../faults/sale.ts";
import { credentials } from "../../operations/credentials.ts";
import { reflectedMethods } from "../../operations/reflected.ts";
import { type Entry, readLedger } from "../../provider/ledger.ts";
import { providerSpec } from "../payment/world.ts";
import type { Target } from "./inputs.ts";
import type { Door } from "./request.ts";
import type { Pool } from "./sample.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const TOKEN_SECONDS = 24 * 60 * 60;
const TICKETS = 5_000_000;
const HOLD_SECONDS = 30;

/** Off, or the proof would be of the limits alone. */
const NO_LIMITS = { RATE_LIMIT_RPS: 0, STREAMS_PER_CLIENT: 0, CONNECTIONS_PER_CLIENT: 0 };

/** A whole box office with its doors, and everything that is there to be attacked. */
export type World = {
  replicas: Readonly<Record<ProcessName, Replica>>;
  /** Every method at every door. */
  targets: readonly Target[];
  /** Where strangers knock: all ports, those for operators included. */
  doors: readonly Door[];
  operatorToken: string;
  /** Tokens that are good for something else, or for nothing. */
  wrongTokens: readonly string[];
  /** Events for honest clients alone. */
  honest: OpenEvent[];
  /** All events that were put on sale by catalog for hostile clients. */
  attacked: string[];
  /** The same for those who have a service's key: the sale alone knows of them. */
  attackedByServices: string[];
  ledger(): Entry[];
  /** Gives hostile clients new events, holds and payments in place of those that they have used up. */
  renew(): Promise<void>;
};

export type OpenEvent = { eventId: string; types: readonly string[] };

/** Starts it, with a nats-server and a payment provider of its own. */
export async function openWorld(office: FaultBoxOffice): Promise<World> {
  const nats = await startNats(office);
  const providerPort = await freePort();
  const ledgerFile = join(office.folder, "ledger-of-hostile");
  const provider = office.add(providerSpec("provider of hostile", providerPort, ledgerFile, true));
  const start = (name: ProcessName, settings = {}) =>
    office.start(name, { name: "of hostile", natsUrl: nats.url, settings });
  const [reservation] = await Promise.all([start("reservation", { HOLD_SECONDS }), provider.start()]);
  const addresses: Record<string, string> = { RESERVATION_ADDRESS: reservation.address };
  const [catalog, payment] = await Promise.all([
    start("catalog", addresses),
    start("payment", { ...addresses, PROVIDER_URL: `http://127.0.0.1:${providerPort}` }),
  ]);
  Object.assign(addresses, { CATALOG_ADDRESS: catalog.address, PAYMENT_ADDRESS: payment.address });
  const stats = await start("stats", { ...addresses, VERIFY_EVERY_HOURS: 0 });
  const gateway = await start("gateway", { ...addresses, STATS_ADDRESS: stats.address, ...NO_LIMITS });
  const replicas = { catalog, reservation, payment, stats, gateway };

  const mint = (role: string, audience: string) =>
    createTokenIssuer({ role, keyFile: join(office.folder, `${role}.key`) }).mint({
      subject: role,
      audience,
      ttlSeconds: TOKEN_SECONDS,
    });
  const operatorToken = await mint(OPERATOR_ROLE, OPERATOR_AUDIENCE);
  const pools = { sale: emptyPool(), services: emptyPool() };
  const targets = await findTargets(replicas, pools, { operatorToken, mint });
  const stage = new Stage(office, replicas, pools);
  await stage.connect();
  return {
    replicas,
    targets,
    doors: Object.entries(replicas).flatMap(([name, { process, address }]) => {
      const { readyWhen } = process.spec;
      if (!("ok" in readyWhen)) throw new Error(`${name} has no probe`);
      return [doorAt(name, address), doorAt(`admin of ${name}`, new URL(readyWhen.ok).host)];
    }),
    operatorToken,
    wrongTokens: await wrongTokens(office.folder),
    honest: [await stage.putOnSale("Honest"), await stage.putOnSale("Honest too")],
    attacked: stage.attacked,
    attackedByServices: stage.attackedByServices,
    ledger: () => readLedger(ledgerFile),
    renew: () => stage.renew(),
  };
}

const emptyPool = (): Pool => ({ events: [], reservations: [], payments: [] });

function doorAt(name: string, address: string): Door {
  const [host = "", port] = address.split(":");
  return { name, host, port: Number(port) };
}

async function wrongTokens(keysFolder: string): Promise<string[]> {
  const all = await credentials(keysFolder);
  const tokens = await Promise.all(all.map(({ tokenFor }) => tokenFor("reservation")));
  return tokens.filter((token) => token !== undefined);
}

type Pools = { sale: Pool; services: Pool };
type Tokens = { operatorToken: string; mint(role: string, audience: string): Promise<string> };

/** Every method that a service shows by reflection, at the service and at the gateway. */
async function findTargets(replicas: World["replicas"], pools: Pools, tokens: Tokens): Promise<Target[]> {
  const gatewayDoor = doorAt("gateway", replicas.gateway.address);
  const targets: Target[] = [];
  for (const service of SERVICES) {
    const { address } = replicas[service];
    const transport = createGrpcTransport(address, { defaultTimeoutMs: 20_000 });
    try {
      for (const method of [...(await reflectedMethods(transport)), ...PUBLISHED]) {
        const { token, pool } = await accessTo(method, service, pools, tokens);
        targets.push({ door: doorAt(service, address), method, isGateway: false, pool, token });
        if (!isPublished(method)) targets.push({ door: gatewayDoor, method, isGateway: true, pool, token });
      }
    } finally {
      transport.close();
    }
  }
  return targets;
}

const PUBLISHED: readonly DescMethod[] = [Health, ServerReflection, ServerReflectionAlpha].flatMap(
  ({ methods }) => methods,
);

async function accessTo(
  method: DescMethod,
  service: Service,
  pools: Pools,
  { operatorToken, mint }: Tokens,
): Promise<Pick<Target, "token" | "pool">> {
  if (isPublished(method)) return { token: undefined, pool: pools.sale };
  const { caller, services } = accessOf(method);
  if (caller === Caller.ANYONE) return { token: undefined, pool: pools.sale };
  if (caller === Caller.OPERATOR) return { token: operatorToken, pool: pools.sale };
  return { token: await mint(services[0] ?? "", service), pool: pools.services };
}

const RENEWED_EVENTS = 3;
const RENEWED_HOLDS = 12;

/** Puts on sale what hostile clients attack. */
class Stage {
  readonly attacked: string[] = [];
  readonly attackedByServices: string[] = [];
  readonly #office: FaultBoxOffice;
  readonly #replicas: World["replicas"];
  readonly #pools: Pools;
  #catalog!: Client<typeof CatalogService>;
  #sale!: Client<typeof ReservationService>;
  #sales!: Client<typeof SalesService>;
  #cashier!: Client<typeof PaymentService>;

  constructor(office: FaultBoxOffice, replicas: World["replicas"], pools: Pools) {
    this.#office = office;
    this.#replicas = replicas;
    this.#pools = pools;
  }

  async connect(): Promise<void> {
    const { catalog, reservation, payment } = this.#replicas;
    this.#catalog = await this.#office.connect(CatalogService, catalog.address, OPERATOR_ROLE);
    this.#sale = await this.#office.connect(ReservationService, reservation.address);
    this.#sales = await this.#office.connect(SalesService, reservation.address, "catalog");
    this.#cashier = await this.#office.connect(PaymentService, payment.address);
  }

  async putOnSale(name: string): Promise<OpenEvent> {
    const type = (typeName: string, cents: bigint) => ({
      name: typeName,
      price: { currencyCode: "EUR", minorUnits: cents },
      quantity: TICKETS,
      maxPerReservation: 10,
    });
    const { event } = await this.#catalog.createEvent({
      event: {
        name,
        venue: "Here",
        startsAt: timestampFromMs(Date.now() + DAY_MS),
        timeZone: "Europe/Berlin",
        ticketTypes: [type("Standing", 1_000n), type("Seat", 5_000n)],
      },
    });
    const eventId = event?.eventId ?? "";
    await this.#catalog.publishEvent({ eventId });
    await untilOnSale(this.#sale, eventId);
    return { eventId, types: (event?.ticketTypes ?? []).map(({ ticketTypeId }) => ticketTypeId) };
  }

  async renew(): Promise<void> {
    const events = await Promise.all(
      Array.from({ length: RENEWED_EVENTS }, () => this.putOnSale("Attacked")),
    );
    const known = await Promise.all(
      Array.from({ length: RENEWED_EVENTS }, () => openEvent({ catalog: this.#sales }, [TICKETS, TICKETS])),
    );
    this.attacked.push(...events.map(({ eventId }) => eventId));
    this.attackedByServices.push(...known.map(({ eventId }) => eventId));
    Object.assign(this.#pools.sale, { events, ...(await this.#fill(events, true)) });
    Object.assign(this.#pools.services, { events: known, ...(await this.#fill(known, false)) });
  }

  /** Holds, of which some are paid. */
  async #fill(events: readonly OpenEvent[], arePaid: boolean): Promise<Omit<Pool, "events">> {
    const reservations: string[] = [];
    const payments: string[] = [];
    for (let count = 0; count < RENEWED_HOLDS; count++) {
      const { eventId, types } = events[count % events.length] as OpenEvent;
      const items = types.map((ticketTypeId) => ({ ticketTypeId, quantity: 1 }));
      const { reservation } = await this.#sale.reserve({ eventId, items });
      const reservationId = reservation?.reservationId ?? "";
      reservations.push(reservationId);
      if (!arePaid || count % 2 === 0) continue;
      const { payment } = await this.#cashier.payReservation({ reservationId, token: "ok" });
      payments.push(payment?.paymentId ?? "");
    }
    return { reservations, payments };
  }
}

/** The statistics as an operator asks for them. */
export const statisticsOf = (
  office: FaultBoxOffice,
  { replicas }: World,
): Promise<Client<typeof StatsService>> =>
  office.connect(StatsService, replicas.stats.address, OPERATOR_ROLE);
