import { Batcher } from "@boxoffice/platform/batcher.ts";
import { type BoxofficeError, isRefusal, type Reason } from "@boxoffice/platform/errors.ts";
import { createRpcClient } from "@boxoffice/platform/rpc/client.ts";
import { wasNeverSent } from "@boxoffice/platform/rpc/connection-error.ts";
import { fromStatus } from "@boxoffice/platform/rpc/status.ts";
import type { Runtime } from "@boxoffice/platform/runtime.ts";
import {
  type Reservation,
  ReservationService,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import {
  type AbortPaymentResponse,
  type BeginPaymentResponse,
  type ConfirmPaymentResponse,
  type ReleasePaidResponse,
  SalesService,
} from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import type { Status } from "@boxoffice/proto/google/rpc/status_pb.ts";
import type { Transport } from "@connectrpc/connect";
import type { Bill, Payment } from "./domain/payment.ts";

/** What became of something asked of the reservation service. */
export type Reply<T> =
  | { kind: "done"; value: T }
  /** It said no, and meant it: asking again would give the same. */
  | { kind: "refused"; error: BoxofficeError }
  /** It was not reached, or was too busy to begin: nothing has happened. */
  | { kind: "not asked"; error: unknown }
  /** Its answer is lost: it may have done it. */
  | { kind: "unknown"; error: unknown };

export type Begun = { bill: Bill; reservation: Reservation };

type PaymentOf = Pick<Payment, "reservationId" | "paymentId">;

/** How often to ask, until when a try is given up, and what ends the asking. */
export type Patience = { tries: number; signal?: AbortSignal };

/** Of each try, in milliseconds. */
export const CALL_TIMEOUT_MS = 5_000;

const FIRST_PAUSE_MS = 100;

/** For an answer that does well without the reservation. */
const LOOK_TIMEOUT_MS = 2_000;

/** The reservation's own refusals; every other error is worth another try. */
const REFUSALS: readonly Reason[] = [
  "RESERVATION_NOT_FOUND",
  "RESERVATION_EXPIRED",
  "RESERVATION_EXPIRING",
  "RESERVATION_CANCELLED",
  "RESERVATION_ALREADY_PAID",
  "EVENT_CANCELLED",
  "PAYMENT_IN_PROGRESS",
  "PAYMENT_FAILED",
];

const MAX_BATCH = 200;

/** More than there can be payments under way in a process. */
const MAX_QUEUE = 20_000;

/** What payment asks of reservation. All of it may be asked again, and what is asked at the same time goes together. */
export class ReservationCalls {
  readonly #reservations;
  readonly #runtime: Runtime;
  readonly #begins: Together<PaymentOf, BeginPaymentResponse>;
  readonly #confirms: Together<PaymentOf, ConfirmPaymentResponse>;
  readonly #aborts: Together<PaymentOf, AbortPaymentResponse>;
  readonly #releases: Together<PaymentOf & { keepOffSale: boolean }, ReleasePaidResponse>;

  constructor({ transport, runtime }: { transport: Transport; runtime: Runtime }) {
    const sales = createRpcClient(SalesService, transport);
    const limit = { timeoutMs: CALL_TIMEOUT_MS };
    this.#reservations = createRpcClient(ReservationService, transport);
    this.#runtime = runtime;
    this.#begins = together((items) => sales.beginPayments({ items }, limit));
    this.#confirms = together((items) => sales.confirmPayments({ items }, limit));
    this.#aborts = together((items) => sales.abortPayments({ items }, limit));
    this.#releases = together((items) => sales.releasePaids({ items }, limit));
  }

  /** Makes the reservation PAYING, and asks what it costs. */
  begin({ reservationId, paymentId }: PaymentOf, patience: Patience): Promise<Reply<Begun>> {
    return this.#ask(patience, async () => {
      const { amount, eventId, reservation } = await ask(this.#begins, { reservationId, paymentId });
      if (amount === undefined || reservation === undefined) throw new Error("the answer is incomplete");
      const bill = { eventId, amountMinor: amount.minorUnits, currencyCode: amount.currencyCode };
      return { bill, reservation };
    });
  }

  /** Makes the reservation PAID. */
  confirm({ reservationId, paymentId }: PaymentOf, patience: Patience) {
    return this.#ask(patience, async () => {
      const { reservation } = await ask(this.#confirms, { reservationId, paymentId });
      return reservation;
    });
  }

  /** Gives the hold back, as far as it has time left, and sees to it that the payment never begins. */
  abort({ reservationId, paymentId }: PaymentOf, patience: Patience) {
    return this.#ask(patience, async () => {
      const { reservation } = await ask(this.#aborts, { reservationId, paymentId });
      return reservation;
    });
  }

  /** Makes a PAID reservation CANCELLED, now that its money is back. */
  release({ reservationId, paymentId, keepsOffSale }: Payment, patience: Patience) {
    return this.#ask(patience, async () => {
      const item = { reservationId, paymentId, keepOffSale: keepsOffSale };
      const { reservation } = await ask(this.#releases, item);
      return reservation;
    });
  }

  /** The reservation as it is now; undefined where it cannot be had. */
  async get(reservationId: string): Promise<Reservation | undefined> {
    try {
      const answer = await this.#reservations.getReservation(
        { reservationId },
        { timeoutMs: LOOK_TIMEOUT_MS },
      );
      return answer.reservation;
    } catch {
      return undefined;
    }
  }

  /** The last reply, unless an earlier one may have done it without a word. */
  async #ask<T>({ tries, signal }: Patience, call: () => Promise<T>): Promise<Reply<T>> {
    let doubt: unknown;
    for (let tried = 1; ; tried++) {
      const reply = await call().then((value): Reply<T> => ({ kind: "done", value }), classify);
      if (reply.kind === "done" || reply.kind === "refused") return reply;
      if (reply.kind === "unknown") doubt = reply.error;
      if (tried >= tries || signal?.aborted) {
        return doubt === undefined ? reply : { kind: "unknown", error: doubt };
      }
      await this.#runtime.sleep(FIRST_PAUSE_MS * 2 ** (tried - 1), signal);
    }
  }
}

/** One of many calls that went together: its answer, or its own error. */
type Result<Answer> = {
  outcome:
    | { case: "done"; value: Answer }
    | { case: "error"; value: Status }
    | { case: undefined; value?: undefined };
};

type Together<Item, Answer> = Batcher<Item, Result<Answer>>;

/** Sends what has gathered while the call before was under way. */
function together<Item, Answer>(
  call: (items: Item[]) => Promise<{ results: Result<Answer>[] }>,
): Together<Item, Answer> {
  const run = async (items: Item[]) => (await call(items)).results;
  return new Batcher({ maxBatch: MAX_BATCH, maxQueue: MAX_QUEUE, run });
}

async function ask<Item, Answer>(calls: Together<Item, Answer>, item: Item): Promise<Answer> {
  const { outcome } = await calls.submit(item);
  if (outcome.case === "done") return outcome.value;
  throw outcome.case === "error" ? fromStatus(outcome.value) : new Error("the answer is incomplete");
}

function classify(error: unknown): Reply<never> {
  if (isRefusal(error, ...REFUSALS)) return { kind: "refused", error };
  const isUnasked =
    wasNeverSent(error) || isRefusal(error, "OVERLOADED", "UNAUTHENTICATED", "PERMISSION_DENIED");
  return { kind: isUnasked ? "not asked" : "unknown", error };
}
