import { setTimeout as delay } from "node:timers/promises";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import type { DescService } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Client, Interceptor } from "@connectrpc/connect";
import { retrying } from "../../../web/src/api/retry.ts";
import type { History } from "../../checker/history.ts";
import type { Random } from "../../faults/random.ts";
import { itemsOf, newId, type OpenedEvent } from "../../faults/sale.ts";
import { fetchTransport } from "../../support/fetch-transport.ts";

/** Nobody's page waits longer for one answer. */
const CALL_TIMEOUT_MS = 15_000;

const DAY_MS = 24 * 60 * 60 * 1_000;

export type Crowd = {
  /** Where the proxy is open for browsers. */
  door: string;
  operatorToken: string;
  history: History;
  events: readonly OpenedEvent[];
  closing: AbortSignal;
};

/** What came of all calls. */
export class Outcome {
  calls = 0;
  /** The longest that anybody waited for an answer, repeats included. */
  slowestMs = 0;
  /** How many calls have failed and wait for their next try. */
  repeating = 0;
  /** Why each call was made again. */
  readonly reasons: string[] = [];
  readonly failures: string[] = [];
  readonly #patienceMs: number;

  /** @param patienceMs for how long a call that may be made again is made again, though a page would have given up */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** Calls as the shop's own pages do: again, where that is safe and may help. @returns undefined where it failed */
  async ask<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
    const startedAtMs = performance.now();
    this.calls++;
    for (let failures = 0; ; failures++) {
      try {
        const answer = await call();
        if (failures > 0) this.repeating--;
        this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAtMs);
        return answer;
      } catch (error) {
        if (failures > 0) this.repeating--;
        const text = `${what}: ${error instanceof Error ? error.message : String(error)}`;
        const tookMs = Math.round(performance.now() - startedAtMs);
        const isPatient = tookMs < this.#patienceMs && retrying.retry(0, error);
        if (!isPatient && !retrying.retry(failures, error)) {
          this.failures.push(`${text} (after ${failures + 1} tries and ${tookMs} ms)`);
          return undefined;
        }
        this.reasons.push(text);
        this.repeating++;
        await delay(retrying.retryDelay(failures, error));
      }
    }
  }
}

/** One of many, with an address of its own, as which the proxy and the limits know him. */
function clientsOf({ door, history }: Crowd, index: number, json: boolean, token?: string) {
  const about: Interceptor = (next) => (request) => {
    request.header.set("x-forwarded-for", `198.51.100.${index}`);
    if (token !== undefined) request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  const transport = fetchTransport({ baseUrl: door, json, interceptors: [about, history.interceptor] });
  return <S extends DescService>(desc: S): Client<S> => createRpcClient(desc, transport);
}

/** Looks, reserves, looks again, and pays or gives back, until the crowd is sent home. Every call may be made twice. */
export async function buy(crowd: Crowd, index: number, random: Random, outcome: Outcome): Promise<void> {
  const clientOf = clientsOf(crowd, index, random.chance(0.7));
  const [catalog, sale, cashier] = [
    clientOf(CatalogService),
    clientOf(ReservationService),
    clientOf(PaymentService),
  ];
  const limit = { timeoutMs: CALL_TIMEOUT_MS };
  while (!crowd.closing.aborted) {
    const event = random.pick(crowd.events);
    const { eventId } = event;
    if (random.chance(0.3)) await outcome.ask("GetEvent", () => catalog.getEvent({ eventId }, limit));
    if (random.chance(0.5))
      await outcome.ask("GetAvailability", () => sale.getAvailability({ eventId }, limit));
    const wish = { eventId, items: itemsOf(event, random.int(1, 3), random.int(0, 2)), requestId: newId() };
    const held = await outcome.ask("Reserve", () => sale.reserve(wish, limit));
    const reservationId = held?.reservation?.reservationId;
    if (reservationId === undefined) continue;
    await delay(random.int(0, 40));
    await outcome.ask("GetReservation", () => sale.getReservation({ reservationId }, limit));
    if (random.chance(0.2)) {
      await outcome.ask("CancelReservation", () => sale.cancelReservation({ reservationId }, limit));
      continue;
    }
    const token = random.chance(0.8) ? `late-${random.int(200, 900)}` : "ok"; // so that there is much to lose
    const order = { reservationId, token, requestId: newId() };
    const paid = await outcome.ask("PayReservation", () => cashier.payReservation(order, limit));
    const paymentId = paid?.payment?.paymentId;
    if (paymentId !== undefined)
      await outcome.ask("GetPayment", () => cashier.getPayment({ paymentId }, limit));
    await delay(random.int(0, 40));
  }
}

/** Prepares further events, and watches the sale. */
export async function operate(crowd: Crowd, index: number, random: Random, outcome: Outcome): Promise<void> {
  const clientOf = clientsOf(crowd, index, true, crowd.operatorToken);
  const [catalog, sale, stats] = [
    clientOf(CatalogService),
    clientOf(ReservationService),
    clientOf(StatsService),
  ];
  const limit = { timeoutMs: CALL_TIMEOUT_MS };
  while (!crowd.closing.aborted) {
    const { eventId } = random.pick(crowd.events);
    const draft = {
      requestId: newId(),
      event: {
        name: "One more",
        startsAt: timestampFromMs(Date.now() + DAY_MS),
        timeZone: "Europe/Berlin",
        ticketTypes: [{ name: "Seat", price: { currencyCode: "EUR", minorUnits: 1_500n }, quantity: 3 }],
      },
    };
    await outcome.ask("CreateEvent", () => catalog.createEvent(draft, limit));
    await outcome.ask("GetEventStats", () => stats.getEventStats({ eventId }, limit));
    await outcome.ask("ListReservations", () => sale.listReservations({ eventId, pageSize: 5 }, limit));
    await delay(random.int(20, 120));
  }
}
