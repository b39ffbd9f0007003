import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import {
  PaymentOutcome,
  PaymentService,
  PaymentState,
} from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { SalesService } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type { Random } from "../faults/random.ts";
import { itemsOf, type OpenedEvent, ticketType } from "../faults/sale.ts";
import { newId } from "./host.ts";
import type { World } from "./world.ts";

/** Cards, by how often they are used: see test/provider/behaviour.ts. */
const TOKENS = [
  "ok",
  "ok",
  "ok",
  "ok",
  "ok",
  "card_error",
  "payment_error",
  "hang",
  "hang-charged",
  "fail-charged",
  "reset",
  "reset-charged",
  "busy",
];

/** Buyers, operators and catalog: everybody who calls from outside. */
export class People {
  readonly #world: World;
  readonly #event: OpenedEvent;
  readonly #random: Random;
  readonly #sale: Client<typeof ReservationService>;
  readonly #payments: Client<typeof PaymentService>;
  readonly #operator: Client<typeof PaymentService>;
  readonly #catalog: Client<typeof SalesService>;
  #busy = 0;

  constructor(world: World, event: OpenedEvent) {
    this.#world = world;
    this.#event = event;
    this.#random = world.random.fork("people");
    const client = <S extends DescService>(desc: S, service: string, as?: string) =>
      createRpcClient(
        desc,
        world.network.transport(service, { interceptors: [world.history.interceptor], ...(as && { as }) }),
      );
    this.#sale = client(ReservationService, "reservation");
    this.#payments = client(PaymentService, "payment");
    this.#operator = client(PaymentService, "payment", "operator");
    this.#catalog = client(SalesService, "reservation", "catalog");
  }

  /** How many are not done yet. */
  get busy(): number {
    return this.#busy;
  }

  begin(): void {
    const random = this.#random;
    for (let n = 1; n <= this.#world.plan.buyers; n++) this.#do(() => this.#buy(`buyer ${n}`));
    if (random.chance(0.3)) this.#do(() => this.#refund());
    if (random.chance(0.12)) this.#do(() => this.#closeSales());
    if (random.chance(0.2)) this.#do(() => this.#resize());
  }

  /** Somebody looks at a reservation that somebody has. */
  look(): void {
    const ids = this.#reservations();
    if (ids.length > 0) this.#do(() => this.#lookAt("somebody", this.#random.pick(ids)));
  }

  /** An operator has found out what became of a charge. */
  resolve(paymentId: string, isCharged: boolean): void {
    const outcome = isCharged ? PaymentOutcome.CHARGED : PaymentOutcome.FAILED;
    const act = { paymentId, outcome, reason: "the provider says so", requestId: this.#newId() };
    this.#do(() =>
      this.#ask(`the operator resolves ${paymentId.slice(-4)}`, () => this.#operator.resolvePayment(act)),
    );
  }

  async #buy(name: string): Promise<void> {
    const random = this.#random;
    const quantities = this.#event.types.map(() => random.int(0, 2));
    const items = itemsOf(this.#event, ...(quantities.some((count) => count > 0) ? quantities : [1]));
    const requestId = random.chance(0.8) ? this.#newId() : "";
    const wish = { eventId: this.#event.eventId, items, requestId };
    const reserve = () => this.#ask(`${name} reserves`, (signal) => this.#sale.reserve(wish, { signal }));
    const copies = requestId !== "" && random.chance(0.45) ? 2 : 1;
    let [answer] = (await this.#all(copies, reserve)).filter((one) => one !== undefined);
    for (
      let retry = 0;
      retry < 2 && answer === undefined && requestId !== "" && random.chance(0.6);
      retry++
    ) {
      answer = await reserve();
    }
    const reservationId = answer?.reservation?.reservationId;
    if (reservationId === undefined) return;
    const also: Promise<unknown>[] = [];
    if (random.chance(0.5)) also.push(this.#lookAt(name, reservationId));
    if (random.chance(0.12)) {
      const cancel = () => this.#sale.cancelReservation({ reservationId });
      also.push(this.#ask(`${name} cancels`, cancel));
    }
    await Promise.all([...also, this.#pay(name, reservationId)]);
    await this.#lookAt(name, reservationId);
  }

  async #pay(name: string, reservationId: string): Promise<void> {
    const random = this.#random;
    for (let attempt = 0; attempt < 3; attempt++) {
      const order = { reservationId, token: random.pick(TOKENS), requestId: this.#newId() };
      const other = random.chance(0.5) ? order : { ...order, token: "ok", requestId: this.#newId() };
      const orders = random.chance(0.35) ? [order, other] : [order];
      const told = await Promise.all(
        orders.map((one) =>
          this.#ask(`${name} pays`, (signal) => this.#payments.payReservation(one, { signal })),
        ),
      );
      const isPaid = told.some((one) => one?.payment?.state === PaymentState.SUCCEEDED);
      if (isPaid || random.chance(0.3)) return;
      // Whoever was told nothing asks again, with the same request id.
      if (random.chance(0.5))
        await this.#ask(`${name} pays again`, () => this.#payments.payReservation(order));
    }
  }

  #lookAt(name: string, reservationId: string) {
    return this.#ask(`${name} looks`, () => this.#sale.getReservation({ reservationId }));
  }

  async #refund(): Promise<void> {
    await this.#wish("the operator looks for a payment");
    const paid = this.#world.history
      .of(PaymentService.method.payReservation)
      .flatMap(({ told }) => (told.kind === "answered" ? (told.answer.payment ?? []) : []));
    if (paid.length === 0) return;
    const { paymentId } = this.#random.pick(paid);
    const keepOffSale = this.#random.chance(0.3);
    const act = { paymentId, keepOffSale, reason: "asked for", requestId: this.#newId() };
    const copies = this.#random.chance(0.4) ? 2 : 1;
    await this.#all(copies, () => this.#ask("the operator refunds", () => this.#operator.refundPayment(act)));
  }

  async #closeSales(): Promise<void> {
    const { eventId } = this.#event;
    for (let tries = 0; tries < 3; tries++) {
      if (
        await this.#ask("the event is cancelled", () => this.#catalog.closeSales({ eventId, version: 10n }))
      )
        return;
    }
  }

  async #resize(): Promise<void> {
    const { eventId, types } = this.#event;
    const type = ticketType(types[0] ?? "", 0, this.#random.int(0, 4));
    await this.#ask("a quantity changes", () =>
      this.#catalog.changeTicketType({ eventId, version: 2n, ticketType: type }),
    );
  }

  #reservations(): string[] {
    const calls = this.#world.history.of(ReservationService.method.reserve);
    const ids = calls.flatMap(({ told }) =>
      told.kind === "answered" ? (told.answer.reservation?.reservationId ?? []) : [],
    );
    return [...new Set(ids)];
  }

  #do(work: () => Promise<unknown>): void {
    this.#busy++;
    const done = () => void this.#busy--;
    work().then(done, (error: unknown) => {
      done();
      this.#world.violate(
        `somebody could not go on: ${error instanceof Error ? error.stack : String(error)}`,
      );
    });
  }

  #all<T>(count: number, work: () => Promise<T>): Promise<T[]> {
    return Promise.all(Array.from({ length: count }, work));
  }

  #wish(label: string): Promise<void> {
    return this.#world.scheduler.turn({ kind: "wish", label });
  }

  /** Asks when it is its turn; some have gone before they are told. @returns undefined without an answer */
  async #ask<T>(label: string, call: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    await this.#wish(label);
    const gone = new AbortController();
    const take = () => gone.abort();
    const stay = this.#random.chance(0.05)
      ? this.#world.scheduler.add({ kind: "wish", label: `${label}, and is gone`, take })
      : () => {};
    try {
      return await call(gone.signal);
    } catch {
      return undefined; // the history has it
    } finally {
      stay();
    }
  }

  #newId(): string {
    return newId(this.#world.clock.nowMs, this.#random);
  }
}
