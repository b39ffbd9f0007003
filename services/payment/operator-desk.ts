import { BoxofficeError } from "@boxoffice/platform/errors.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import { type Runtime, within } from "@boxoffice/platform/runtime.ts";
import type { Act } from "./domain/acts.ts";
import type { Payment } from "./domain/payment.ts";
import { type GoOnOptions, goOn, leaseMsFor } from "./go-on.ts";
import { recordAct } from "./store/acts.ts";
import { postpone } from "./store/claim.ts";
import { getPayment } from "./store/read.ts";

export type OperatorDeskOptions = GoOnOptions & {
  runtime: Runtime;
  /** How long an answer may wait for what follows from an act, in milliseconds. */
  answerWithinMs: number;
};

/** How many acts may be under way in this process. */
const MAX_RUNNING = 200;

/** The completer tries again what cannot be done now. */
const HAND_OVER_MS = 500;

const OVERLOADED_RETRY_MS = 1_000;

/**
 * Does what operators ask for. Once an act is on record, what follows from it goes on whether or not somebody waits
 * for it, and after a crash the completer goes on with it.
 */
export class OperatorDesk {
  readonly #options: OperatorDeskOptions;
  readonly #ending = new AbortController();
  #running = 0;

  constructor(options: OperatorDeskOptions) {
    this.#options = options;
  }

  /**
   * @returns the payment as far as it has got when the wait is over
   * @throws BoxofficeError PAYMENT_NOT_FOUND, PAYMENT_NOT_UNKNOWN, PAYMENT_NOT_REFUNDABLE, REQUEST_ID_REUSED
   */
  async perform(act: Act): Promise<Payment> {
    const { ledger, provider, runtime, answerWithinMs } = this.#options;
    if (this.#running >= MAX_RUNNING) throw overloaded();
    const lease = { id: ledger.newId(), ms: leaseMsFor(provider) };
    const payment = await recordAct(ledger, act, lease);
    if (payment.leaseId !== lease.id) return payment; // it came before
    ledger.reached?.("act recorded");
    await within(runtime, answerWithinMs, this.#goOn(payment));
    return (await getPayment(ledger.database, payment.paymentId)) ?? payment;
  }

  /** The process ends: whatever is not done yet is left to the completer. */
  stop(): void {
    this.#ending.abort();
  }

  async #goOn(payment: Payment): Promise<void> {
    this.#running++;
    try {
      if (await goOn(this.#options, payment, this.#ending.signal)) return;
      await postpone(this.#options.ledger.database, payment.paymentId, {
        id: payment.leaseId,
        ms: HAND_OVER_MS,
      });
    } catch (error) {
      const about = { error, reservation_ref: refOf(payment.reservationId) };
      this.#options.log.warn(about, "an operator's act was left to the completer");
    } finally {
      this.#running--;
    }
  }
}

function overloaded(): BoxofficeError {
  return new BoxofficeError("OVERLOADED", "Too many payments are being settled. Try again shortly.", {
    retryAfterMs: OVERLOADED_RETRY_MS,
  });
}
