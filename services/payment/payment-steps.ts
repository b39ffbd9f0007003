import { type BoxofficeError, isRefusal } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";
import type { Reservation } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { failureError, nothingHappened } from "./domain/failure.ts";
import type { Order } from "./domain/order.ts";
import { type Bill, hasWorkLeft, type Payment } from "./domain/payment.ts";
import { giveUp, type Outcome, recordOutcome, startCharging } from "./domain/transitions.ts";
import type { ProviderCalls } from "./provider-calls.ts";
import { CALL_TIMEOUT_MS, type ReservationCalls } from "./reservation-calls.ts";
import type { Settlement } from "./settlement.ts";
import { discardAttempt } from "./store/attempts.ts";
import { postpone } from "./store/claim.ts";
import { changePayment, type Ledger } from "./store/ledger.ts";

export type PaymentStepsOptions = {
  ledger: Ledger;
  reservations: ReservationCalls;
  settlement: Settlement;
  provider: ProviderCalls;
  runtime: Runtime;
  log: Logger;
};

/** A payment and, where it is known, its reservation after it. */
export type Paid = { payment: Payment; reservation: Reservation | undefined };

/** How often another service is asked by somebody who waits. After that, the completer asks. */
export const PATIENCE = { tries: 3 };

/** Long enough for the steps before a charge, and for those after one; the completer takes over what takes longer. */
export const BEGIN_LEASE_MS = 5 * CALL_TIMEOUT_MS;
const FINISH_LEASE_MS = 5 * CALL_TIMEOUT_MS;

/** How much longer the lease of a charge is than the provider may take. */
const CHARGE_LEASE_MARGIN_MS = 10_000;

const HAND_OVER_MS = 1_000;

const DATABASE_RETRY_MS = 200;
const DATABASE_RETRY_MAX_MS = 5_000;

/**
 * The steps of one payment, in the order that keeps it from being charged twice or for nothing: Begin, P2, charge,
 * P3, Confirm or Abort, P4. Only who put the attempt on record runs them, so that the provider is asked at most once.
 */
export class PaymentSteps {
  readonly #options: PaymentStepsOptions;
  readonly #ending = new AbortController();

  constructor(options: PaymentStepsOptions) {
    this.#options = options;
  }

  /**
   * Works on an attempt from P1 to its end, or as far as can be gone now.
   *
   * @param onProgress told when the provider is about to be asked
   * @throws BoxofficeError what the reservation service refuses, CURRENCY_NOT_SUPPORTED, or DEPENDENCY_UNAVAILABLE:
   *   in all these cases nothing was charged
   */
  async run(payment: Payment, order: Order, onProgress: (latest: Paid) => void): Promise<Paid> {
    const { ledger, reservations } = this.#options;
    const reply = await reservations.begin(payment, PATIENCE);
    switch (reply.kind) {
      case "done":
        break;
      case "not asked":
        await this.#persist(() => discardAttempt(ledger.database, payment.paymentId));
        throw nothingHappened(reply.error);
      case "unknown":
        return this.#fail(payment, nothingHappened(reply.error), null);
      case "refused":
        if (reply.error.reason !== "RESERVATION_NOT_FOUND") return this.#fail(payment, reply.error, null);
        await this.#persist(() => discardAttempt(ledger.database, payment.paymentId));
        throw reply.error;
    }
    ledger.reached?.("begun");
    const { bill, reservation } = reply.value;
    if (order.currencyCode !== bill.currencyCode) {
      const error = failureError({ ...payment, failureReason: "CURRENCY_NOT_SUPPORTED" }, order.currencyCode);
      return this.#fail(payment, error, bill);
    }
    const charging = await this.#change(payment, startCharging, this.#chargeLeaseMs, payment.leaseId, bill);
    const isMine = charging.state === "CHARGING" && charging.leaseId === payment.leaseId;
    if (!isMine) return this.#notCharged(charging);
    ledger.reached?.("charging recorded");
    onProgress({ payment: charging, reservation });
    const outcome = await this.#charge(charging, bill, order.token);
    ledger.reached?.("provider answered");
    const recorded = await this.#record(charging, outcome);
    ledger.reached?.("outcome recorded");
    return this.#finish(recorded, reservation);
  }

  /** The process ends: a database that does not answer is not waited for any more. */
  stopRetrying(): void {
    this.#ending.abort();
  }

  /** FAILED first, then the abort: in this order a crash between them is found. */
  async #fail(payment: Payment, error: BoxofficeError, bill: Bill | null): Promise<never> {
    const failed = await this.#change(payment, giveUp, FINISH_LEASE_MS, payment.leaseId, error.reason, bill);
    await this.#finish(failed);
    throw error;
  }

  /**
   * The completer was faster. Where it takes the charge for begun (the answer to P2 was lost, and P2 written), it is
   * known here that the provider was never asked.
   */
  async #notCharged(payment: Payment): Promise<Paid> {
    return this.#finish(await this.#record(payment, { kind: "failed", reason: "DEPENDENCY_UNAVAILABLE" }));
  }

  /** Holds no transaction and no connection, and knows of no caller. */
  #charge(payment: Payment, bill: Bill, token: string): Promise<Outcome> {
    return this.#options.provider.charge(
      { amount: bill.amountMinor, currency: bill.currencyCode, token, idempotencyKey: payment.paymentId },
      { reservation_ref: refOf(payment.reservationId) },
      (outcome) => void this.#recordLate(payment, outcome),
    );
  }

  async #recordLate(payment: Payment, outcome: Outcome): Promise<void> {
    const { log } = this.#options;
    try {
      log.warn({ reservation_ref: refOf(payment.reservationId) }, "the provider answered late");
      await this.#finish(await this.#record(payment, outcome));
    } catch (error) {
      log.error({ error, reservation_ref: refOf(payment.reservationId) }, "a late answer was not recorded");
    }
  }

  /** P3. */
  #record(payment: Payment, outcome: Outcome): Promise<Payment> {
    return this.#change(payment, recordOutcome, FINISH_LEASE_MS, outcome);
  }

  /** Confirm and P4, or Abort. `reservation` is how it was left when the payment began. */
  async #finish(payment: Payment, reservation?: Reservation): Promise<Paid> {
    const { settlement } = this.#options;
    if (payment.state === "CHARGED") {
      const settled = await settlement.confirm(payment, PATIENCE);
      if (hasWorkLeft(settled.payment)) await this.#handOver(payment);
      const stillPaying = settled.isDone ? undefined : reservation;
      return { payment: settled.payment, reservation: settled.reservation ?? stillPaying };
    }
    const settled = payment.isAbortPending ? await settlement.abort(payment, PATIENCE) : { payment };
    if (hasWorkLeft(settled.payment)) await this.#handOver(payment);
    return { payment, reservation: payment.state === "UNKNOWN" ? reservation : undefined };
  }

  /** Lets the completer go on soon; where that cannot be said, it does when the lease ends. */
  async #handOver({ paymentId, leaseId }: Payment): Promise<void> {
    const lease = { id: leaseId, ms: HAND_OVER_MS };
    await postpone(this.#options.ledger.database, paymentId, lease).catch(() => {});
  }

  get #chargeLeaseMs(): number {
    return this.#options.provider.timeoutMs + CHARGE_LEASE_MARGIN_MS;
  }

  /** A step that is written for certain: what is known here must not be lost because the database is away. */
  async #change<Args extends unknown[]>(
    payment: Payment,
    step: (payment: Payment, ...args: Args) => Payment,
    leaseMs: number,
    ...args: Args
  ): Promise<Payment> {
    const lease = { id: payment.leaseId, ms: leaseMs };
    const changed = await this.#persist(() =>
      changePayment(this.#options.ledger, payment.paymentId, lease, (before) => step(before, ...args)),
    );
    return changed ?? payment;
  }

  /** Until the database answers, or the process ends. */
  async #persist<T>(write: () => Promise<T>): Promise<T> {
    const { signal } = this.#ending;
    for (let pauseMs = DATABASE_RETRY_MS; ; pauseMs = Math.min(2 * pauseMs, DATABASE_RETRY_MAX_MS)) {
      try {
        return await write();
      } catch (error) {
        if (signal.aborted || !isRefusal(error, "DEPENDENCY_UNAVAILABLE", "OVERLOADED")) throw error;
        await this.#options.runtime.sleep(pauseMs, signal);
      }
    }
  }
}
