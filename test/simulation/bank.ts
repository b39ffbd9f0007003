import {
  CardError,
  type ChargeRequest,
  CurrencyError,
  NotSentError,
  PaymentError,
  type PaymentProvider,
  type PaymentResult,
  TurnedAwayError,
} from "../../services/payment/provider/port.ts";
import { behaviourOf, withoutCharge } from "../provider/behaviour.ts";
import type { Entry } from "../provider/ledger.ts";
import type { Host } from "./host.ts";
import type { World } from "./world.ts";

/**
 * The payment company, with a ledger of its own. It charges whenever it gets its turn, also for a process that has
 * died since, and behaves as the card's token says (see test/provider/behaviour.ts).
 */
export class Bank {
  readonly ledger: Entry[] = [];
  /** Whether it tells what became of a charge. */
  readonly canLookUp: boolean;
  readonly #world: World;
  readonly #declined = new Set<string>();

  constructor(world: World, canLookUp: boolean) {
    this.#world = world;
    this.canLookUp = canLookUp;
  }

  isCharged(key: string): boolean {
    return this.#has("charge", key);
  }

  /** As one process reaches it. */
  for(host: Host): PaymentProvider {
    const ask = <T>(what: string, work: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const faults = this.#world.faults;
        const take = () => {
          if (faults.ofProvider())
            return this.#answer(host, what, () => reject(new NotSentError("no connection")));
          const isLost = faults.ofProvider();
          const done = attempt(work);
          if (done === undefined) return;
          this.#answer(host, what, () => {
            if (isLost) reject(new Error("connection reset"));
            else if ("error" in done) reject(done.error);
            else resolve(done.value);
          });
        };
        this.#world.scheduler.add({ kind: "provider", label: `the provider is asked to ${what}`, take });
      });
    return {
      charge: (request) => ask(`charge ${request.idempotencyKey.slice(-4)}`, () => this.#charge(request)),
      refund: (key) => ask(`refund ${key.slice(-4)}`, () => this.#refund(key)),
      ...(this.canLookUp && {
        lookup: (key: string) => ask(`look up ${key.slice(-4)}`, () => this.#lookUp(key)),
      }),
    };
  }

  #answer(host: Host, what: string, take: () => void): void {
    this.#world.scheduler.add({ kind: "provider", host, label: `the provider answers to ${what}`, take });
  }

  #charge({ amount, currency, token, idempotencyKey: key }: ChargeRequest): PaymentResult {
    const { charge: word } = behaviourOf(token);
    if (word === "card_error" || word === "payment_error" || currency !== "EUR") this.#declined.add(key);
    if (word === "card_error") throw new CardError("declined");
    if (word === "payment_error") throw new PaymentError("refused");
    if (currency !== "EUR") throw new CurrencyError("currency");
    if (!TAKES_NOTHING.includes(word)) this.#append("charge", key, Number(amount), currency);
    switch (withoutCharge(word)) {
      case "hang":
        throw HANGS;
      case "fail":
        throw new Error("500");
      case "reset":
        throw new Error("connection reset");
      case "busy":
        throw new TurnedAwayError("429");
    }
    return { amount, currency };
  }

  #lookUp(key: string): "charged" | "failed" | "not_found" {
    if (this.isCharged(key)) return "charged";
    return this.#declined.has(key) ? "failed" : "not_found";
  }

  #refund(key: string): void {
    const charge = this.ledger.find((entry) => entry.kind === "charge" && entry.key === key);
    if (charge === undefined) throw new Error("there is no such charge");
    if (!this.#has("refund", key)) this.#append("refund", key, charge.amount, charge.currency);
  }

  #has(kind: Entry["kind"], key: string): boolean {
    return this.ledger.some((entry) => entry.kind === kind && entry.key === key);
  }

  #append(kind: Entry["kind"], key: string, amount: number, currency: string): void {
    this.#world.scheduler.note(`  the ledger has a ${kind} of ${key.slice(-4)}`);
    this.ledger.push({ kind, key, amount, currency, atMs: this.#world.clock.nowMs });
  }
}

const TAKES_NOTHING = ["hang", "fail", "reset", "busy"];

/** No answer, ever. */
const HANGS = new Error("it hangs");

function attempt<T>(work: () => T): { value: T } | { error: unknown } | undefined {
  try {
    return { value: work() };
  } catch (error) {
    return error === HANGS ? undefined : { error };
  }
}
