import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@boxoffice/proto/grpc/health/v1/health_pb.ts";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { SERVICES, type Service } from "../../local/config.ts";
import { FaultBoxOffice, type Replica } from "../faults/box-office.ts";
import { startNats } from "../faults/nats.ts";
import { FaultProxy, type Link } from "../faults/proxy.ts";
import { until } from "../faults/until.ts";

const NAMES: Record<Service, string> = {
  catalog: "boxoffice.catalog.v1.CatalogService",
  reservation: "boxoffice.reservation.v1.ReservationService",
  payment: "boxoffice.payment.v1.PaymentService",
  stats: "boxoffice.stats.v1.StatsService",
};

let office: FaultBoxOffice;
const databases = new Map<Service, FaultProxy>();
const replicas = new Map<Service, Replica>();

beforeAll(async () => {
  office = await FaultBoxOffice.open({ ownerUrl: inject("ownerUrl"), natsUrl: inject("natsUrl") });
  const { url: natsUrl } = await startNats(office); // of its own: whoever counts shares what arrives with all who do
  await Promise.all(
    SERVICES.map(async (service) => {
      const url = new URL(office.databaseUrlOf(service));
      const proxy = new FaultProxy(url.host);
      await proxy.start();
      url.host = proxy.address;
      databases.set(service, proxy);
      replicas.set(service, await office.start(service, { name: "one", databaseUrl: url.href, natsUrl }));
    }),
  );
}, 90_000);

afterAll(async () => {
  await office?.end();
  await Promise.all([...databases.values()].map((proxy) => proxy.stop()));
}, 30_000);

/** What befalls a database, and how it ends. */
const AWAY: [what: string, takeAway: (database: FaultProxy) => () => void][] = [
  [
    "is gone",
    (database) => {
      database.cut();
      return () => database.heal();
    },
  ],
  [
    "hangs",
    (database) => {
      const held: { chunk: Buffer; link: Link }[] = [];
      database.fromClient = (chunk, link) => {
        held.push({ chunk, link });
        return false;
      };
      return () => {
        database.fromClient = () => true;
        for (const { chunk, link } of held) link.server.write(chunk);
      };
    },
  ],
];

test.each(SERVICES.flatMap((service) => AWAY.map(([what, takeAway]) => ({ service, what, takeAway }))))(
  "$service, whose database $what, says so to whoever checks or watches, and serves again by itself",
  async ({ service, takeAway }) => {
    const replica = replicas.get(service);
    const database = databases.get(service);
    if (replica === undefined || database === undefined) throw new Error(`${service} does not run`);
    const transport = createGrpcTransport(replica.address, { defaultTimeoutMs: 5_000 });
    const client = createRpcClient(Health, transport);
    const name = NAMES[service];
    const seen: Status[] = [];
    const over = new AbortController();
    const watching = (async () => {
      for await (const { status } of client.watch({ service: name }, { signal: over.signal }))
        seen.push(status);
    })().catch(() => undefined);
    try {
      await until("it serves", 10_000, () => seen.at(-1) === Status.SERVING);
      const bringBack = takeAway(database);
      await until("it says that it does not serve", 10_000, () => seen.at(-1) === Status.NOT_SERVING);
      for (const asked of ["", name])
        expect(await client.check({ service: asked })).toMatchObject({ status: Status.NOT_SERVING });
      expect(await probesOf(replica)).toEqual({ livez: 200, readyz: 503 });
      bringBack();
      await until("it serves again", 15_000, () => seen.at(-1) === Status.SERVING);
      for (const asked of ["", name])
        expect(await client.check({ service: asked })).toMatchObject({ status: Status.SERVING });
      expect(await probesOf(replica)).toEqual({ livez: 200, readyz: 200 });
      expect(seen).toEqual([Status.SERVING, Status.NOT_SERVING, Status.SERVING]);
    } finally {
      over.abort();
      await watching;
      transport.close();
    }
  },
  60_000,
);

async function probesOf({ process }: Replica) {
  const { readyWhen } = process.spec;
  const readyz = "ok" in readyWhen ? readyWhen.ok : "";
  const ask = async (url: string) => (await fetch(url)).status;
  return { livez: await ask(readyz.replace("/readyz", "/livez")), readyz: await ask(readyz) };
}
