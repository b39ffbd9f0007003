import { setTimeout as delay } from "node:timers/promises";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { DescService } from "@bufbuild/protobuf";
import type { Client, Interceptor } from "@connectrpc/connect";
import { retrying } from "../../web/src/api/retry.ts";
import type { History } from "../checker/history.ts";
import type { Random } from "../faults/random.ts";
import type { OpenedEvent } from "../faults/sale.ts";
import { fetchTransport } from "../support/fetch-transport.ts";
import { type BuyerPlan, type Habits, planBuyers } from "./plan.ts";

/** Nobody's page waits longer for one answer. */
const CALL_TIMEOUT_MS = 15_000;

/** More than so many at once are no buyers but a queue; who comes then is counted, and goes. */
const AT_ONCE = 500;

export type CrowdOptions = {
  /** Where browsers come in. */
  door: string;
  /** Hears what every buyer is told. */
  history: History;
  event: OpenedEvent;
  random: Random;
  habits: Habits;
  /** What a buyer who pays shows to the provider. */
  cardOf: (plan: BuyerPlan) => string;
};

/**
 * Buyers who arrive at planned moments, whether or not those before them have been served, and do what they planned:
 * look, reserve, think, pay, give back, let their holds expire, or vanish in the middle of a call.
 */
export class Crowd {
  arrived = 0;
  turnedAway = 0;
  readonly #options: CrowdOptions;
  readonly #closing = new AbortController();
  readonly #visits = new Set<Promise<void>>();
  #arriving: Promise<void> | undefined;
  #left = false;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  open(): void {
    this.#arriving = this.#arrive();
  }

  /** Nobody arrives any more; who is in the shop goes on. */
  leave(): void {
    this.#left = true;
  }

  /** Nobody arrives any more, and nobody begins anything. Resolves when everybody has gone, each after the call that they wait for. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#arriving;
    await Promise.all(this.#visits);
  }

  async #arrive(): Promise<void> {
    const { signal } = this.#closing;
    const startedAtMs = performance.now();
    for (const plan of planBuyers(this.#options.random, this.#options.habits)) {
      const waitMs = startedAtMs + plan.arrivesAtMs - performance.now();
      if (waitMs > 0) await delay(waitMs, undefined, { signal }).catch(() => {});
      if (signal.aborted || this.#left) return;
      this.arrived++;
      if (this.#visits.size >= AT_ONCE) {
        this.turnedAway++;
        continue;
      }
      const visit = new Visit(this.#options, plan, signal).make();
      this.#visits.add(visit);
      void visit.finally(() => this.#visits.delete(visit));
    }
  }
}

/** One buyer's way through the shop. */
class Visit {
  readonly #plan: BuyerPlan;
  readonly #event: OpenedEvent;
  readonly #card: string;
  readonly #closing: AbortSignal;
  readonly #catalog: Client<typeof CatalogService>;
  readonly #sale: Client<typeof ReservationService>;
  readonly #cashier: Client<typeof PaymentService>;

  constructor({ door, history, event, cardOf }: CrowdOptions, plan: BuyerPlan, closing: AbortSignal) {
    this.#plan = plan;
    this.#event = event;
    this.#card = cardOf(plan);
    this.#closing = closing;
    const address = `198.18.${(plan.number >> 8) & 255}.${plan.number & 255}`;
    const about: Interceptor = (next) => (request) => {
      request.header.set("x-forwarded-for", address);
      return next(request);
    };
    const transport = fetchTransport({
      baseUrl: door,
      json: plan.json,
      interceptors: [about, history.interceptor],
    });
    const clientOf = <S extends DescService>(desc: S) => createRpcClient(desc, transport);
    this.#catalog = clientOf(CatalogService);
    this.#sale = clientOf(ReservationService);
    this.#cashier = clientOf(PaymentService);
  }

  async make(): Promise<void> {
    const { looks, fate, thinksMs } = this.#plan;
    const { eventId } = this.#event;
    if (looks) {
      await this.#ask((limit) => this.#catalog.getEvent({ eventId }, limit));
      await this.#ask((limit) => this.#sale.getAvailability({ eventId }, limit));
      await this.#think(thinksMs[0]);
    }
    const reservationId = await this.#reserve();
    if (reservationId === undefined) return;
    await this.#think(thinksMs[1]);
    await this.#ask((limit) => this.#sale.getReservation({ reservationId }, limit));
    if (fate === "leave" || fate === "vanish reserving") return;
    if (fate === "cancel") {
      await this.#ask((limit) => this.#sale.cancelReservation({ reservationId }, limit));
      return;
    }
    await this.#pay(reservationId);
  }

  async #reserve(): Promise<string | undefined> {
    const { type, quantity, requestIds, fate, pressesTwice } = this.#plan;
    const { eventId, types } = this.#event;
    const items = [{ ticketTypeId: types[type] ?? "", quantity }];
    const wish = { eventId, items, requestId: requestIds[0] };
    const reserve = (limit: Limit) => this.#sale.reserve(wish, limit);
    const answer =
      fate === "vanish reserving" ? await this.#vanish(reserve) : await this.#press(pressesTwice, reserve);
    return answer?.reservation?.reservationId;
  }

  async #pay(reservationId: string): Promise<void> {
    const { requestIds, fate, thinksMs, pressesTwice } = this.#plan;
    const pay = (token: string, requestId: string) => (limit: Limit) =>
      this.#cashier.payReservation({ reservationId, token, requestId }, limit);
    if (fate === "decline") {
      await this.#ask(pay("card_error", requestIds[1]));
      await this.#think(thinksMs[2]);
    }
    const withCard = pay(this.#card, fate === "decline" ? requestIds[2] : requestIds[1]);
    const paid =
      fate === "vanish paying" ? await this.#vanish(withCard) : await this.#press(pressesTwice, withCard);
    const paymentId = paid?.payment?.paymentId;
    if (paymentId !== undefined) await this.#ask((limit) => this.#cashier.getPayment({ paymentId }, limit));
  }

  /** Goes in the middle of a call; of those who come back, the same request is heard once more. */
  async #vanish<T>(call: (limit: Limit) => Promise<T>): Promise<T | undefined> {
    const gone = new AbortController();
    const leaving = setTimeout(() => gone.abort(), this.#plan.vanishesAfterMs);
    await call({ timeoutMs: CALL_TIMEOUT_MS, signal: gone.signal }).catch(() => {});
    clearTimeout(leaving);
    if (!this.#plan.comesBack) return undefined;
    await this.#think(this.#plan.thinksMs[2]);
    return this.#ask(call);
  }

  async #press<T>(twice: boolean, call: (limit: Limit) => Promise<T>): Promise<T | undefined> {
    const [first] = await Promise.all([this.#ask(call), twice ? this.#ask(call) : undefined]);
    return first;
  }

  /** Asks as the shop's own pages do: again, where that may help. @returns undefined where it was refused or failed */
  async #ask<T>(call: (limit: Limit) => Promise<T>): Promise<T | undefined> {
    for (let failures = 0; ; failures++) {
      try {
        return await call({ timeoutMs: CALL_TIMEOUT_MS });
      } catch (error) {
        if (this.#closing.aborted || !retrying.retry(failures, error)) return undefined;
        await this.#think(retrying.retryDelay(failures, error));
      }
    }
  }

  /** Who thinks when the doors close goes on at once. */
  async #think(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#closing }).catch(() => {});
  }
}

type Limit = { timeoutMs: number; signal?: AbortSignal };
