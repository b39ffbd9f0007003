import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { connect as connectTls, type PeerCertificate } from "node:tls";
import { ensureKeys, rotateKey } from "@boxoffice/platform/auth/keys.ts";
import { mintToken } from "@boxoffice/platform/auth/tokens.ts";
import { createLogger } from "@boxoffice/platform/log.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { openTls } from "@boxoffice/platform/tls.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { SalesService } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FaultBoxOffice, type Replica } from "../faults/box-office.ts";
import { type OpenedEvent, openEvent } from "../faults/sale.ts";
import { Authority } from "../support/certificates.ts";
import { type SecuredServers, startSecuredServers } from "./secured-servers.ts";

const log = createLogger("test", "silent");

let servers: SecuredServers;
let office: FaultBoxOffice;
let files: { cert: string; key: string };
let reservation: Replica;
let stats: Replica;
let gateway: Replica;
let event: OpenedEvent;
const closers: (() => void)[] = [];

beforeAll(async () => {
  servers = await startSecuredServers();
  office = await FaultBoxOffice.open(servers);
  files = await servers.authority.issue("process");
  const settings = {
    TLS_CERT_FILE: files.cert,
    TLS_KEY_FILE: files.key,
    TLS_CA_FILE: servers.authority.file,
    TLS_CLIENTS: "verified",
    NATS_CA_FILE: servers.authority.file,
    NATS_CERT_FILE: files.cert,
    NATS_KEY_FILE: files.key,
  };
  [reservation, stats] = await Promise.all([
    office.start("reservation", { name: "one", settings }),
    office.start("stats", { name: "one", settings }),
  ]);
  const payment = await office.start("payment", {
    name: "one",
    settings: { ...settings, RESERVATION_ADDRESS: reservation.address },
  });
  const addresses = {
    CATALOG_ADDRESS: reservation.address, // nobody asks for the catalog
    RESERVATION_ADDRESS: reservation.address,
    PAYMENT_ADDRESS: payment.address,
    STATS_ADDRESS: stats.address,
  };
  gateway = await office.start("gateway", { name: "one", settings: { ...settings, ...addresses } });
  const catalog = createRpcClient(
    SalesService,
    transportTo(reservation, await tokenOf("catalog", "reservation")),
  );
  event = await openEvent({ catalog }, [1_000]);
}, 300_000);

afterAll(async () => {
  for (const close of closers) close();
  await office?.end();
  await servers?.stop();
}, 60_000);

function transportTo(
  { address }: Replica,
  token?: string,
  settings: Partial<Parameters<typeof openTls>[0]> = {},
) {
  const tls = openTls(
    {
      TLS_CLIENTS: "any",
      TLS_CERT_FILE: files.cert,
      TLS_KEY_FILE: files.key,
      TLS_CA_FILE: servers.authority.file,
      ...settings,
    },
    log,
  );
  const transport = createGrpcTransport(address, {
    defaultTimeoutMs: 10_000,
    tls,
    ...(token && { bearer: () => token }),
  });
  closers.push(() => transport.close());
  return transport;
}

const tokenOf = (role: string, audience = "boxoffice") =>
  mintToken({
    privateKeyFile: join(office.folder, `${role}.key`),
    role,
    audience,
    subject: role,
    ttlSeconds: 600,
  });

const buyOne = async () => {
  const transport = createConnectTransport({ baseUrl: `http://${gateway.address}`, httpVersion: "1.1" });
  const [eventId, ticketTypeId] = [event.eventId, event.types[0] ?? ""];
  const reserved = await createClient(ReservationService, transport).reserve({
    eventId,
    items: [{ ticketTypeId, quantity: 1 }],
  });
  const reservationId = reserved.reservation?.reservationId ?? "";
  return createClient(PaymentService, transport).payReservation({ reservationId, token: "a card" });
};

test("tickets are sold over TLS alone: between processes, to the database and over NATS", async () => {
  await buyOne();
  const counted = async () => {
    const text = "select from stats.reservations where state = 'PAID'";
    return (await office.database.query({ text })).length;
  };
  await expect.poll(counted, { timeout: 30_000 }).toBe(1);
  const connections = await office.database.query<{ ssl: boolean }>({
    text: `select ssl from pg_stat_ssl join pg_stat_activity using (pid)
      where datname = current_database() and backend_type = 'client backend'`,
  });
  expect(connections.length).toBeGreaterThan(3);
  expect(connections.filter(({ ssl }) => !ssl)).toEqual([]);
});

test.each([
  ["without TLS", { TLS_CERT_FILE: undefined, TLS_KEY_FILE: undefined, TLS_CA_FILE: undefined }],
  ["without a certificate", { TLS_CERT_FILE: undefined, TLS_KEY_FILE: undefined }],
  ["with a stranger's certificate", "stranger"],
  ["and trusts only a stranger", "distrust"],
] as const)("who calls %s is not answered", async (_, how) => {
  const stranger = await Authority.make(servers.folder, "stranger");
  const { cert, key } = await stranger.issue("stranger");
  const settings = {
    stranger: { TLS_CERT_FILE: cert, TLS_KEY_FILE: key },
    distrust: { TLS_CA_FILE: stranger.file },
  };
  const transport = transportTo(reservation, undefined, typeof how === "string" ? settings[how] : how);
  const call = createRpcClient(ReservationService, transport).getAvailability({ eventId: event.eventId });
  await expect(call).rejects.toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE" });
});

test("a certificate that is replaced is shown to whoever connects next, and a broken one is not", async () => {
  const before = await certificateOf(reservation);
  const good = readFileSync(files.cert);
  writeFileSync(files.cert, "-----BEGIN CERTIFICATE-----\ntorn");
  await delay(2_500); // longer than it takes to look
  expect((await certificateOf(reservation)).serialNumber).toBe(before.serialNumber);
  writeFileSync(files.cert, good);
  await servers.authority.issue("process");
  await expect
    .poll(async () => (await certificateOf(reservation)).serialNumber)
    .not.toBe(before.serialNumber);
  await buyOne();
});

test("keys that sign tokens are replaced while tickets are sold", async () => {
  const operatorBefore = await tokenOf("operator");
  const list = async (token: string) => {
    const client = createRpcClient(ReservationService, transportTo(reservation, token));
    return client.listReservations({}).then(
      () => "let in",
      ({ reason }) => reason,
    );
  };
  const sold = { count: 0, isOver: false };
  const selling = (async () => {
    for (; !sold.isOver; sold.count++) await buyOne();
  })();
  for (const role of ["operator", "gateway", "payment"]) {
    await rotateKey(office.folder, role, () => delay(2_500));
  }
  const operatorAfter = await tokenOf("operator");
  expect([await list(operatorBefore), await list(operatorAfter)]).toEqual(["let in", "let in"]);

  await delay(2_500); // the services sign with their new keys by now
  await ensureKeys(office.folder, ["operator", "gateway", "payment"]);
  await expect.poll(() => list(operatorBefore)).toBe("UNAUTHENTICATED");
  expect(await list(operatorAfter)).toBe("let in");
  await buyOne();
  sold.isOver = true;
  await selling;
  expect(sold.count).toBeGreaterThan(1);
  expect(office.unexpectedEnds()).toEqual([]);
});

/** What a service shows who it is with. */
function certificateOf({ address }: Replica): Promise<PeerCertificate> {
  const [host = "", port] = address.split(":");
  const options = { host, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ["h2"] };
  return new Promise((resolve, reject) => {
    const socket = connectTls(options, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.on("error", reject);
  });
}
