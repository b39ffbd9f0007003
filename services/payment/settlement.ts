import { isRefusal } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import type { Reservation } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { Milestone } from "./domain/milestones.ts";
import type { Payment } from "./domain/payment.ts";
import { aborted, confirmed, confirmRefused, refunded, released } from "./domain/transitions.ts";
import type { ProviderCalls } from "./provider-calls.ts";
import { CALL_TIMEOUT_MS, type Patience, type ReservationCalls } from "./reservation-calls.ts";
import { discardAttempt } from "./store/attempts.ts";
import { changePayment, type Ledger } from "./store/ledger.ts";

/** A payment after a step, and what the reservation service said its reservation is now, where it was asked. */
export type Settled = {
  payment: Payment;
  reservation: Reservation | undefined;
  /** Whether the step is done, or has to be tried again. */
  isDone: boolean;
};

export type SettlementOptions = {
  ledger: Ledger;
  reservations: ReservationCalls;
  provider: ProviderCalls;
  log: Logger;
};

/** For the step after, where there is one. */
const NEXT_LEASE_MS = 5 * CALL_TIMEOUT_MS;

/** The last steps of a payment, which its worker and the completer take alike, and as often as it needs. */
export class Settlement {
  readonly #options: SettlementOptions;

  constructor(options: SettlementOptions) {
    this.#options = options;
  }

  /** CHARGED: has the reservation marked as paid. Where that is refused for good, the money is owed. */
  async confirm(payment: Payment, patience: Patience): Promise<Settled> {
    const { reservations, log } = this.#options;
    const reply = await reservations.confirm(payment, patience);
    if (reply.kind === "done") {
      return this.#take(payment, confirmed, reply.value, ["confirmed", "confirmation recorded"]);
    }
    if (reply.kind !== "refused") return undone(payment);
    log.error(
      { ...aboutOf(payment), reason: reply.error.reason },
      "money was taken for a reservation that is not to be had; it has to be given back",
    );
    return this.#take(payment, confirmRefused, undefined);
  }

  /**
   * FAILED, or taken for failed: gives the hold back. An attempt for a reservation that is not there leaves nothing
   * behind.
   */
  async abort(payment: Payment, patience: Patience): Promise<Settled> {
    const { reservations, log } = this.#options;
    const reply = await reservations.abort(payment, patience);
    if (reply.kind === "done") {
      return this.#take(payment, aborted, reply.value, ["aborted", "abort recorded"]);
    }
    if (reply.kind !== "refused") return undone(payment);
    if (reply.error.reason === "RESERVATION_NOT_FOUND") return this.#forget(payment);
    log.error(
      { ...aboutOf(payment), reason: reply.error.reason },
      "a failed payment cannot be aborted; somebody has to look into it",
    );
    return undone(payment);
  }

  /** REFUND_DUE and REFUNDING: has the provider give the money back. */
  async refund(payment: Payment): Promise<Settled> {
    const isBack = await this.#options.provider.refund(payment.paymentId, aboutOf(payment));
    if (!isBack) return undone(payment);
    return this.#take(payment, refunded, undefined, ["money given back", "refund recorded"]);
  }

  /** REFUNDED: has the reservation that was paid cancelled. */
  async release(payment: Payment, patience: Patience): Promise<Settled> {
    const { reservations, log } = this.#options;
    const reply = await reservations.release(payment, patience);
    if (reply.kind === "done") {
      return this.#take(payment, released, reply.value, ["released", "release recorded"]);
    }
    if (reply.kind === "refused") {
      const about = { ...aboutOf(payment), reason: reply.error.reason };
      log.error(about, "a refunded reservation cannot be cancelled; somebody has to look into it");
    }
    return undone(payment);
  }

  /** A database that is away makes a step wait, as everything else. */
  async #take(
    payment: Payment,
    step: (payment: Payment) => Payment,
    reservation: Reservation | undefined,
    [done, recorded]: [Milestone?, Milestone?] = [],
  ): Promise<Settled> {
    const { ledger } = this.#options;
    const lease = { id: payment.leaseId, ms: NEXT_LEASE_MS };
    if (done) ledger.reached?.(done);
    try {
      const changed = await changePayment(ledger, payment.paymentId, lease, step);
      if (recorded) ledger.reached?.(recorded);
      return { payment: changed ?? payment, reservation, isDone: true };
    } catch (error) {
      if (!isRefusal(error, "DEPENDENCY_UNAVAILABLE")) throw error;
      return { ...undone(payment), reservation };
    }
  }

  async #forget(payment: Payment): Promise<Settled> {
    const { ledger } = this.#options;
    if (payment.bill === null) await discardAttempt(ledger.database, payment.paymentId);
    return this.#take(payment, aborted, undefined);
  }
}

const aboutOf = ({ reservationId }: Payment) => ({ reservation_ref: refOf(reservationId) });

const undone = (payment: Payment): Settled => ({ payment, reservation: undefined, isDone: false });
