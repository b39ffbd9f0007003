import { setTimeout as delay } from "node:timers/promises";
import type { Told } from "../../checker/history.ts";
import type { Random } from "../../faults/random.ts";
import { itemsOf, newId, type OpenedEvent } from "../../faults/sale.ts";
import { pooled } from "../pooled.ts";
import { tally, told, unexpectedWords, wordOf } from "../tally.ts";
import type { SaleReplica } from "./replicas.ts";

/** One wish, and what its buyer was told the first time. */
type Wish = {
  request: { eventId: string; items: ReturnType<typeof itemsOf>; requestId: string };
  outcome: Told<{ reservation?: { reservationId: string } | undefined }>;
};

/** A buyer who was told nothing breathes once before the next wish. */
const AFTER_FAILURE_MS = 50;

/** How long it may take until a repetition is answered, after everything runs again. */
const ANSWER_WITHIN_MS = 30_000;

/** What may be told to buyers while something is broken. All else is a fault of ours that reached a caller. */
const TOLERABLE = ["answered", "unknown", "SOLD_OUT", "OVERLOADED"];

/**
 * Buyers who reserve at any of some replicas without a break, whatever happens to these. Four in five of them send
 * a request id, and so may ask again when they were told nothing.
 */
export class RetryingBuyers {
  readonly #replicas: readonly SaleReplica[];
  readonly #events: readonly OpenedEvent[];
  readonly #random: Random;
  readonly #wishes: Wish[] = [];
  /** What came of everything but reserving. */
  readonly #further: string[] = [];

  constructor(replicas: readonly SaleReplica[], events: readonly OpenedEvent[], random: Random) {
    this.#replicas = replicas;
    this.#events = events;
    this.#random = random;
  }

  /** Has `width` of them at a time reserve until `signal` aborts. */
  async buy(width: number, signal: AbortSignal): Promise<void> {
    const random = this.#random;
    const one = async () => {
      while (!signal.aborted) {
        const event = random.pick(this.#events);
        const items = itemsOf(event, random.int(1, 2), random.int(0, 1));
        const requestId = random.chance(0.8) ? newId() : "";
        const request = { eventId: event.eventId, items, requestId };
        const outcome = await told(random.pick(this.#replicas).buyer.reserve(request));
        this.#wishes.push({ request, outcome });
        if (outcome.kind === "unknown") await delay(AFTER_FAILURE_MS);
        const reservationId = outcome.kind === "answered" ? outcome.answer.reservation?.reservationId : "";
        if (!reservationId || random.chance(0.6)) continue;
        await this.#goOn({ reservationId, paymentId: newId() });
      }
    };
    await Promise.all(Array.from({ length: width }, one));
  }

  /** Cancels a hold, or pays for it, at whichever replica. */
  async #goOn(ids: { reservationId: string; paymentId: string }): Promise<void> {
    const random = this.#random;
    const { buyer, payment } = random.pick(this.#replicas);
    if (random.chance(0.5)) {
      this.#further.push(wordOf(await told(buyer.cancelReservation(ids))));
      return;
    }
    const begun = wordOf(await told(payment.beginPayment(ids)));
    this.#further.push(begun);
    if (begun === "answered") this.#further.push(wordOf(await told(payment.confirmPayment(ids))));
  }

  get counts(): { wishes: number; acknowledged: number; unknown: number } {
    const words = this.#wishes.map(({ outcome }) => wordOf(outcome));
    return {
      wishes: words.length,
      acknowledged: words.filter((word) => word === "answered").length,
      unknown: words.filter((word) => word === "unknown").length,
    };
  }

  /**
   * Repeats every request id whose buyer was told nothing, and a few of the others, when all is well again.
   *
   * @returns what is wrong: an answer to a buyer that no fault explains, a repetition that makes another hold
   */
  async askAgain(): Promise<string[]> {
    const words = [...this.#wishes.map(({ outcome }) => wordOf(outcome)), ...this.#further];
    const violations = unexpectedWords(tally(words), TOLERABLE, "calls");
    const unknown = this.#wishes.filter(
      ({ request, outcome }) => request.requestId !== "" && outcome.kind === "unknown",
    );
    const granted = this.#wishes.filter(
      ({ request, outcome }) => request.requestId !== "" && outcome.kind === "answered",
    );
    const repeated = [...unknown, ...this.#random.shuffle(granted).slice(0, 200)];
    await pooled(repeated.length, 16, async (index) => {
      const { request, outcome } = repeated[index] as Wish;
      const again = await this.#repeat(request);
      if (again.kind !== "answered") {
        violations.push(`request id ${request.requestId} was repeated and came to ${wordOf(again)}`);
        return;
      }
      const [first, second] = [outcome, again].map((one) =>
        one.kind === "answered" ? one.answer.reservation?.reservationId : undefined,
      );
      if (first !== undefined && first !== second) {
        violations.push(`request id ${request.requestId} first gave ${first}, and then ${second}`);
      }
    });
    return violations;
  }

  /** A client finds a replica that was started again within a few seconds. */
  async #repeat(request: Wish["request"]): Promise<Wish["outcome"]> {
    for (const untilMs = performance.now() + ANSWER_WITHIN_MS; ; ) {
      const outcome = await told(this.#random.pick(this.#replicas).buyer.reserve(request));
      if (outcome.kind !== "unknown" || performance.now() > untilMs) return outcome;
      await delay(AFTER_FAILURE_MS);
    }
  }
}
