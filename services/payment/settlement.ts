import { isRefusal } from "@boxoffice/platform/errors.ts";
import type { Logger } from "@boxoffice/platform/log.ts";
import { refOf } from "@boxoffice/platform/ref.ts";
import type { Reservation } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { Payment } from "./domain/payment.ts";
import { aborted, confirmed, confirmRefused } from "./domain/transitions.ts";
import type { Patience, ReservationCalls } from "./reservation-calls.ts";
import { discardAttempt } from "./store/attempts.ts";
import { changePayment, type Ledger } from "./store/change.ts";

/** A payment after a step, and what the reservation service said its reservation is now, where it was asked. */
export type Settled = {
  payment: Payment;
  reservation: Reservation | undefined;
  /** Whether the step is done, or has to be tried again. */
  isDone: boolean;
};

export type SettlementOptions = { ledger: Ledger; reservations: ReservationCalls; log: Logger };

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
    if (reply.kind === "done") return this.#take(payment, confirmed, reply.value);
    if (reply.kind !== "refused") return undone(payment);
    log.error(
      { reservation_ref: refOf(payment.reservationId), reason: reply.error.reason },
      "money was taken for a reservation that is not to be had; it has to be given back",
    );
    return this.#take(payment, confirmRefused, undefined);
  }

  /** FAILED: gives the hold back. An attempt for a reservation that is not there leaves nothing behind. */
  async abort(payment: Payment, patience: Patience): Promise<Settled> {
    const { reservations, log } = this.#options;
    const reply = await reservations.abort(payment, patience);
    if (reply.kind === "done") return this.#take(payment, aborted, reply.value);
    if (reply.kind !== "refused") return undone(payment);
    if (reply.error.reason === "RESERVATION_NOT_FOUND") return this.#forget(payment);
    log.error(
      { reservation_ref: refOf(payment.reservationId), reason: reply.error.reason },
      "a failed payment cannot be aborted; somebody has to look into it",
    );
    return undone(payment);
  }

  /** The steps leave nothing to do, and so no lease. A database that is away makes them wait, as everything else. */
  async #take(
    payment: Payment,
    step: (payment: Payment) => Payment,
    reservation: Reservation | undefined,
  ): Promise<Settled> {
    const lease = { id: payment.leaseId, ms: 0 };
    try {
      const changed = await changePayment(this.#options.ledger, payment.paymentId, lease, step);
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

const undone = (payment: Payment): Settled => ({ payment, reservation: undefined, isDone: false });
