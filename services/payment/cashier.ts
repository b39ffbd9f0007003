import type { KeyObject } from "node:crypto";
import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import { type Runtime, within } from "@boxoffice/platform/runtime.ts";
import { admit } from "./domain/admission.ts";
import { failureError, nothingHappened } from "./domain/failure.ts";
import { fingerprintOf, type Order } from "./domain/order.ts";
import type { Payment } from "./domain/payment.ts";
import { BEGIN_LEASE_MS, PATIENCE, type Paid, type PaymentSteps } from "./payment-steps.ts";
import type { ReservationCalls } from "./reservation-calls.ts";
import type { Settlement } from "./settlement.ts";
import type { Ledger } from "./store/ledger.ts";
import { getPayment } from "./store/read.ts";

export type CashierOptions = {
  ledger: Ledger;
  reservations: ReservationCalls;
  settlement: Settlement;
  steps: PaymentSteps;
  runtime: Runtime;
  log: Logger;
  hmacKey: KeyObject;
  /** How many payments may be under way in this process; 1,000 unless told. */
  maxRunning?: number;
};

/** How long a caller waits: until `signal` aborts, and at most `ms`. */
export type Wait = { ms: number; signal: AbortSignal };

/** The work on a payment, and how far it has got: to be told without asking anybody. */
type Running = { work: Promise<Paid>; latest: Paid };

const DEFAULT_MAX_RUNNING = 1_000;

/** Tries to put an attempt on record while others do the same. Each time, somebody else has got further. */
const ADMIT_TRIES = 5;

const OVERLOADED_RETRY_MS = 1_000;

/**
 * Takes orders to pay. Once an attempt is on record, the work on it belongs to nobody's call: it goes on whether or
 * not somebody waits for it.
 */
export class Cashier {
  readonly #options: CashierOptions;
  readonly #running = new Map<string, Running>();

  constructor(options: CashierOptions) {
    this.#options = options;
  }

  /**
   * Pays a reservation, or finds the payment that the order made before. When the wait is over first, the payment
   * is returned as it then is.
   *
   * @throws BoxofficeError for a failed payment its reason, for an order that comes at the wrong time why, and for
   *   a reservation that cannot be paid what the reservation service says
   */
  async pay(order: Order, wait: Wait): Promise<Paid> {
    const { runtime, reservations } = this.#options;
    const answerAtMs = runtime.nowMs() + wait.ms;
    const admitted = await this.#admit(order);
    const running = this.#running.get(admitted.paymentId);
    const leftMs = Math.max(0, answerAtMs - runtime.nowMs());
    const paid = running && (await within(runtime, leftMs, running.work, wait.signal));
    wait.signal.throwIfAborted();
    if (running !== undefined && paid === undefined) return running.latest;
    const payment = paid?.payment ?? (await this.#look(admitted));
    if (payment.state === "FAILED") throw failureError(payment, order.currencyCode);
    return { payment, reservation: paid?.reservation ?? (await reservations.get(order.reservationId)) };
  }

  /** Waits for the payments under way, `ms` at most; those that take longer are left to the completer. */
  async drain(ms: number): Promise<void> {
    const { runtime, steps } = this.#options;
    await within(runtime, ms, Promise.allSettled([...this.#running.values()].map(({ work }) => work)));
    steps.stopRetrying();
  }

  /** P1: the payment on record for the order. A new one is being worked on from here. */
  async #admit(order: Order): Promise<Payment> {
    const { ledger, hmacKey, maxRunning = DEFAULT_MAX_RUNNING } = this.#options;
    const { finds, inserts } = ledger.batches;
    const fingerprint = fingerprintOf(order, hmacKey);
    for (let tried = 0; tried < ADMIT_TRIES; tried++) {
      const admission = admit(await finds.submit(order), order, fingerprint);
      if (admission.kind === "known") return this.#withHoldGivenBack(admission.payment);
      if (admission.kind === "abort first") {
        await this.#abortAll(admission.payments);
        continue;
      }
      if (this.#running.size >= maxRunning) throw overloaded();
      const payment = await inserts.submit({
        paymentId: ledger.newId(),
        reservationId: order.reservationId,
        attempt: admission.attempt,
        requestId: order.requestId,
        fingerprint,
        leaseId: ledger.newId(),
        leaseMs: BEGIN_LEASE_MS,
      });
      if (payment === undefined) continue;
      ledger.reached?.("attempt recorded");
      this.#start(payment, order);
      return payment;
    }
    throw overloaded();
  }

  /** A failure is told when the hold is there again, where that can be had now. */
  async #withHoldGivenBack(payment: Payment): Promise<Payment> {
    if (!payment.isAbortPending || this.#running.has(payment.paymentId)) return payment;
    return (await this.#options.settlement.abort(payment, { tries: 1 })).payment;
  }

  async #abortAll(payments: readonly Payment[]): Promise<void> {
    for (const payment of payments) {
      const { isDone } = await this.#options.settlement.abort(payment, PATIENCE);
      if (!isDone) throw nothingHappened();
    }
  }

  #start(payment: Payment, order: Order): void {
    const { steps, log } = this.#options;
    const { paymentId, reservationId } = payment;
    const onProgress = (latest: Paid) => {
      running.latest = latest;
    };
    const work = steps.run(payment, order, onProgress).finally(() => this.#running.delete(paymentId));
    const running: Running = { work, latest: { payment, reservation: undefined } };
    this.#running.set(paymentId, running);
    work.catch((error: unknown) => {
      if (error instanceof BoxofficeError) return; // whoever waits for it is told
      log.error({ error, reservation_ref: refOf(reservationId) }, "a payment was left to the completer");
    });
  }

  /** A payment that somebody else works on, or nobody any more, as it is now. */
  async #look({ paymentId }: Payment): Promise<Payment> {
    const payment = await getPayment(this.#options.ledger.database, paymentId);
    if (payment === undefined) throw nothingHappened(); // the attempt was taken back
    return payment;
  }
}

function overloaded(): BoxofficeError {
  return new BoxofficeError("OVERLOADED", "Too many payments are under way. Try again shortly.", {
    retryAfterMs: OVERLOADED_RETRY_MS,
  });
}
