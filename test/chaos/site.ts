import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mintToken, OPERATOR_ROLE } from "@boxoffice/platform/auth/tokens.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client } from "@connectrpc/connect";
import { ROOT } from "../../local/config.ts";
import { FaultBoxOffice } from "../faults/box-office.ts";
import type { FaultProcess } from "../faults/fault-process.ts";
import { NamespaceNetwork } from "../faults/namespaces.ts";
import { type FaultNats, startNats } from "../faults/nats.ts";
import { type CuttableNetwork, ProxiedNetwork } from "../faults/network.ts";
import { type FaultPostgres, startPostgres } from "../faults/postgres.ts";
import type { Random } from "../faults/random.ts";
import { type OpenedEvent, untilOnSale } from "../faults/sale.ts";
import { SmallDisk } from "../faults/small-disk.ts";
import { type Arrangement, arrange } from "../proof/operations/arrangement.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

/** Of each process. */
const COPIES = 2;

/**
 * Short holds, so that in a minute many expire, and are sold again. Everybody who answers late is given up soon, so
 * that a minute is also enough to settle every payment.
 */
const SETTINGS = {
  HOLD_SECONDS: "12",
  PAY_MARGIN_SECONDS: "2",
  PROVIDER_TIMEOUT_MS: "3000",
  PROVIDER_BREAKER_PAUSE_MS: "1000",
  LOG_LEVEL: "warn",
};

/** PostgreSQL keeps little, so that its disk is full soon where it is to be full. */
const POSTGRES_SETTINGS = { max_wal_size: "256MB" };
const DISK_MEGABYTES = 4_000;

/** Everything that runs, and everything it can be broken with. */
export type Site = {
  office: FaultBoxOffice;
  arrangement: Arrangement;
  network: CuttableNetwork;
  nats: FaultNats;
  postgres: FaultPostgres;
  /** PostgreSQL's, where one can be made that fills up and hangs. */
  disk: SmallDisk | undefined;
  /** Everything that could be killed: replicas, "postgres", "nats", "provider". */
  processes: ReadonlyMap<string, FaultProcess>;
  statistics: Client<typeof StatsService>;
  operatorToken: string;
  /** Sets the clock of a replica's host so far ahead; behind where it is below 0. */
  shiftClock(label: string, ms: number): void;
};

/** Starts two copies of each process, PostgreSQL, nats-server, provider and proxy, in networks of their own if possible. */
export async function openSite(random: Random): Promise<Site> {
  let network: CuttableNetwork = new ProxiedNetwork(random);
  let postgres: FaultPostgres | undefined;
  let nats: FaultNats | undefined;
  let disk: SmallDisk | undefined;
  const office = await FaultBoxOffice.open(async ({ folder, add }) => {
    const namespaces =
      NamespaceNetwork.obstacle() === undefined ? await NamespaceNetwork.open(add, random) : undefined;
    if (namespaces) network = namespaces;
    const onDisk = (cluster: string) => {
      if (namespaces && SmallDisk.obstacle() === undefined)
        disk = SmallDisk.under(namespaces, "postgres", cluster, DISK_MEGABYTES);
    };
    const place = { folder, add, network };
    postgres = await startPostgres({ ...place, settings: POSTGRES_SETTINGS, onDisk });
    nats = await startNats(place);
    return { ownerUrl: postgres.ownerUrl, natsUrl: nats.url };
  });
  try {
    if (postgres === undefined || nats === undefined) throw new Error("the servers were not started");
    return await furnish(office, random, { network, postgres, nats, disk });
  } catch (error) {
    await office.end();
    throw error;
  }
}

async function furnish(
  office: FaultBoxOffice,
  random: Random,
  servers: Pick<Site, "network" | "postgres" | "nats" | "disk">,
): Promise<Site> {
  const { network, postgres, nats } = servers;
  const clocks = join(office.folder, "clocks");
  const arrangement = await arrange(office, random, {
    network,
    copies: COPIES,
    natsUrl: nats.url,
    settings: SETTINGS,
    preload: join(ROOT, "test", "faults", "shifted-clock.ts"),
    settingsOf: (label) => ({ CLOCK_SHIFT_FILE: `${clocks} of ${label}` }),
  });
  const keyFile = join(office.folder, `${OPERATOR_ROLE}.key`);
  const processes = new Map([
    ...arrangement.replicas,
    ["postgres", postgres.process] as const,
    ["nats", nats.process] as const,
    ["provider", arrangement.provider] as const,
  ]);
  return {
    ...servers,
    office,
    arrangement,
    processes,
    statistics: await office.connect(StatsService, arrangement.grpcDoor("stats"), OPERATOR_ROLE),
    operatorToken: await mintToken({
      privateKeyFile: keyFile,
      role: OPERATOR_ROLE,
      subject: "chaos",
      ttlSeconds: 24 * 60 * 60,
    }),
    shiftClock(label, ms) {
      writeFileSync(`${clocks} of ${label}`, String(ms));
      processes.get(label)?.send("SIGUSR2");
    },
  };
}

/** Of the network without proxies there is nothing to close: it vanishes with its processes. */
export async function closeSite({ office, arrangement, network }: Site): Promise<void> {
  network.heal();
  await arrangement.stop();
  await office.end();
  if (network instanceof ProxiedNetwork) await network.close();
}

/** Puts an event on sale: a type that nearly everybody wants, and two others. */
export async function openSale(
  { office, arrangement }: Site,
  quantities: readonly number[],
): Promise<OpenedEvent> {
  const catalog = await office.connect(CatalogService, arrangement.grpcDoor("catalog"), OPERATOR_ROLE);
  const sale = await office.connect(ReservationService, arrangement.grpcDoor("reservation"));
  const { event } = await catalog.createEvent({
    event: {
      name: "The one at ten",
      startsAt: timestampFromMs(Date.now() + DAY_MS),
      timeZone: "Europe/Berlin",
      ticketTypes: quantities.map((quantity, index) => ({
        name: `Type ${index + 1}`,
        price: { currencyCode: "EUR", minorUnits: BigInt(2_500 + 1_000 * index) },
        quantity,
        maxPerReservation: 10,
      })),
    },
  });
  const eventId = event?.eventId ?? "";
  await catalog.publishEvent({ eventId });
  await untilOnSale(sale, eventId);
  return { eventId, types: (event?.ticketTypes ?? []).map(({ ticketTypeId }) => ticketTypeId) };
}
