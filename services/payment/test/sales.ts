import { BoxofficeError, type Reason } from "@boxoffice/platform/errors.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import { toStatus } from "@boxoffice/platform/rpc/status.ts";
import { systemRuntime } from "@boxoffice/platform/runtime.ts";
import {
  ReservationService,
  ReservationState,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { SalesService } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { Code, ConnectError } from "@connectrpc/connect";

export type Step = "begin" | "confirm" | "abort" | "release" | "get";

/**
 * What goes wrong with a call: `away`: nothing is done. `lost`: it is done, and the answer is lost. A promise: it
 * is done once the promise resolves. An error: it is refused.
 */
export type Fault = "away" | "lost" | BoxofficeError | Promise<unknown>;

type Request = { reservationId: string; paymentId: string };

type Hold = {
  eventId: string;
  state: "HELD" | "PAYING" | "PAID" | "EXPIRED" | "CANCELLED";
  paymentId: string;
  total: { currencyCode: string; minorUnits: bigint };
  keepsOffSale?: boolean;
};

/** The reservation service as payment knows it: small, honest, and with faults on demand. */
export class Sales {
  readonly holds = new Map<string, Hold>();
  /** What was done, in order, for example "begin". */
  readonly done: Step[] = [];
  readonly #aborted = new Set<string>();
  readonly #faults: Record<Step, Fault[]> = { begin: [], confirm: [], abort: [], release: [], get: [] };

  hold(minorUnits = 25_00n, currencyCode = "EUR"): string {
    const reservationId = systemRuntime.newId();
    const total = { currencyCode, minorUnits };
    this.holds.set(reservationId, { eventId: systemRuntime.newId(), state: "HELD", paymentId: "", total });
    return reservationId;
  }

  get(reservationId: string): Hold {
    const hold = this.holds.get(reservationId);
    if (hold === undefined) throw refusal("RESERVATION_NOT_FOUND");
    return hold;
  }

  /** The next calls of a step go wrong like this, one after the other. */
  fail(step: Step, ...faults: Fault[]): void {
    this.#faults[step].push(...faults);
  }

  /** From now on all goes well. */
  heal(): void {
    for (const faults of Object.values(this.#faults)) faults.length = 0;
  }

  services(): RpcService[] {
    const call = async (step: Step, request: Request, work: (hold: Hold, paymentId: string) => void) => {
      const fault = this.#faults[step].shift();
      if (fault === "away") throw refusal("DEPENDENCY_UNAVAILABLE");
      if (fault instanceof BoxofficeError) throw fault;
      if (fault instanceof Promise) await fault;
      work(this.get(request.reservationId), request.paymentId);
      this.done.push(step);
      if (fault === "lost") throw new ConnectError("the connection broke", Code.Unavailable);
      return { reservation: this.#message(request.reservationId) };
    };
    /** Each for itself, as if it had come alone. */
    const each = async <Item, Done>(items: readonly Item[], one: (item: Item) => Promise<Done>) => ({
      results: await Promise.all(
        items.map((item) =>
          one(item).then(
            (value) => ({ outcome: { case: "done" as const, value } }),
            (error: unknown) => ({ outcome: { case: "error" as const, value: toStatus(error) } }),
          ),
        ),
      ),
    });
    const begin = async (request: Request) => {
      const { reservation } = await call("begin", request, (hold, id) => this.#begin(hold, id));
      const { total, eventId } = this.get(request.reservationId);
      return { amount: total, eventId, reservation };
    };
    return [
      service(SalesService, {
        beginPayments: ({ items }) => each(items, begin),
        confirmPayments: ({ items }) => each(items, (item) => call("confirm", item, confirm)),
        abortPayments: ({ items }) =>
          each(items, (item) => call("abort", item, (hold, id) => this.#abort(hold, id))),
        releasePaids: ({ items }) =>
          each(items, (item) => call("release", item, (hold, id) => release(hold, id, item.keepOffSale))),
      }),
      service(ReservationService, {
        getReservation: async ({ reservationId }) => {
          await this.#faults.get.shift();
          return { reservation: this.#message(reservationId) };
        },
      }),
    ];
  }

  #begin(hold: Hold, paymentId: string): void {
    if ((hold.state === "PAYING" || hold.state === "PAID") && hold.paymentId === paymentId) return;
    if (this.#aborted.has(paymentId)) throw refusal("PAYMENT_FAILED");
    if (hold.state !== "HELD") throw refusal(STATE_REFUSALS[hold.state], { payment_id: hold.paymentId });
    Object.assign(hold, { state: "PAYING", paymentId });
  }

  #abort(hold: Hold, paymentId: string): void {
    this.#aborted.add(paymentId);
    if (hold.paymentId !== paymentId) return;
    if (hold.state === "PAID") throw refusal("RESERVATION_ALREADY_PAID");
    if (hold.state === "PAYING") Object.assign(hold, { state: "HELD", paymentId: "" });
  }

  #message(reservationId: string) {
    const { eventId, state, paymentId, total } = this.get(reservationId);
    return { reservationId, eventId, state: ReservationState[state], paymentId, total };
  }
}

export const refusal = (reason: Reason, metadata = {}) => new BoxofficeError(reason, reason, { metadata });

const STATE_REFUSALS = {
  PAYING: "PAYMENT_IN_PROGRESS",
  PAID: "RESERVATION_ALREADY_PAID",
  EXPIRED: "RESERVATION_EXPIRED",
  CANCELLED: "RESERVATION_CANCELLED",
} as const;

function confirm(hold: Hold, paymentId: string): void {
  if (hold.paymentId !== paymentId || hold.state === "HELD") throw refusal("PAYMENT_FAILED");
  if (hold.state === "PAID") return;
  if (hold.state !== "PAYING") throw refusal(STATE_REFUSALS[hold.state]);
  hold.state = "PAID";
}

function release(hold: Hold, paymentId: string, keepsOffSale: boolean): void {
  if (hold.paymentId !== paymentId) throw refusal("PAYMENT_FAILED");
  if (hold.state === "CANCELLED") return;
  if (hold.state !== "PAID")
    throw refusal(hold.state === "HELD" ? "PAYMENT_FAILED" : STATE_REFUSALS[hold.state]);
  Object.assign(hold, { state: "CANCELLED", keepsOffSale });
}
