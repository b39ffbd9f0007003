import { setTimeout as delay } from "node:timers/promises";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { createGrpcTransport } from "@boxoffice/platform/rpc/transport.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import type { DescService } from "@bufbuild/protobuf";
import type { Client, Interceptor } from "@connectrpc/connect";
import type { FaultBoxOffice } from "../../faults/box-office.ts";
import type { Random } from "../../faults/random.ts";
import { newId } from "../../faults/sale.ts";
import { fetchTransport } from "../../support/fetch-transport.ts";
import type { World } from "./world.ts";

/** Nobody who behaves waits longer for one answer, in milliseconds. */
const CALL_TIMEOUT_MS = 20_000;
const PAUSE_MS = 30;

/** What honest clients met. */
export type Welcome = { calls: number; slowestMs: number; failures: string[] };

/**
 * Honest clients, who look, reserve, pay, cancel and read statistics, by each protocol, until `over` aborts. Every one of
 * their calls must succeed, whatever others send meanwhile.
 */
export async function behave(
  office: FaultBoxOffice,
  world: World,
  random: Random,
  over: AbortSignal,
): Promise<Welcome> {
  const welcome: Welcome = { calls: 0, slowestMs: 0, failures: [] };
  const { history } = office;
  const bearer: Interceptor = (next) => (request) => {
    if (request.service.typeName === StatsService.typeName)
      request.header.set("authorization", `Bearer ${world.operatorToken}`);
    return next(request);
  };
  const interceptors = [bearer, history.interceptor];
  const baseUrl = `http://${world.replicas.gateway.address}`;
  const browsers = [true, false].map((json) => fetchTransport({ baseUrl, json, interceptors }));
  const direct = (name: "catalog" | "reservation" | "payment" | "stats") =>
    createGrpcTransport(world.replicas[name].address, { defaultTimeoutMs: CALL_TIMEOUT_MS, interceptors });
  const services = {
    catalog: direct("catalog"),
    reservation: direct("reservation"),
    payment: direct("payment"),
    stats: direct("stats"),
  };
  const clients: Clients[] = [
    ...browsers.map(
      (transport): Clients =>
        (desc) =>
          createRpcClient(desc, transport),
    ),
    (desc) => createRpcClient(desc, services[desc.typeName.split(".")[1] as keyof typeof services]),
  ];
  try {
    await Promise.all(
      clients.map((client, index) => visit(client, world, random.fork(`client ${index}`), over, welcome)),
    );
  } finally {
    for (const transport of Object.values(services)) transport.close();
  }
  return welcome;
}

type Clients = <S extends DescService>(desc: S) => Client<S>;

async function visit(
  clientOf: Clients,
  { honest }: World,
  random: Random,
  over: AbortSignal,
  welcome: Welcome,
): Promise<void> {
  const [catalog, sale, cashier, stats] = [
    clientOf(CatalogService),
    clientOf(ReservationService),
    clientOf(PaymentService),
    clientOf(StatsService),
  ] as const;
  const ask = async <T>(
    what: string,
    call: (options: { timeoutMs: number }) => Promise<T>,
  ): Promise<T | undefined> => {
    const startedAtMs = performance.now();
    welcome.calls++;
    try {
      return await call({ timeoutMs: CALL_TIMEOUT_MS });
    } catch (error) {
      welcome.failures.push(`an honest ${what} failed: ${error instanceof Error ? error.message : error}`);
      return undefined;
    } finally {
      welcome.slowestMs = Math.max(welcome.slowestMs, performance.now() - startedAtMs);
    }
  };
  while (!over.aborted) {
    const { eventId, types } = random.pick(honest);
    await ask("GetEvent", (options) => catalog.getEvent({ eventId }, options));
    await ask("GetAvailability", (options) => sale.getAvailability({ eventId }, options));
    await ask("GetEventStats", (options) => stats.getEventStats({ eventId }, options));
    const items = types.map((ticketTypeId) => ({ ticketTypeId, quantity: random.int(1, 3) }));
    const held = await ask("Reserve", (options) =>
      sale.reserve({ eventId, items, requestId: newId() }, options),
    );
    const reservationId = held?.reservation?.reservationId;
    if (reservationId !== undefined && random.chance(0.3)) {
      await ask("CancelReservation", (options) => sale.cancelReservation({ reservationId }, options));
    } else if (reservationId !== undefined) {
      const order = { reservationId, token: "ok", requestId: newId() };
      await ask("PayReservation", (options) => cashier.payReservation(order, options));
      await ask("GetReservation", (options) => sale.getReservation({ reservationId }, options));
    }
    await delay(PAUSE_MS);
  }
}
