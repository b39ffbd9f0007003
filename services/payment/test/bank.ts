import type { ChargeRequest, PaymentProvider, PaymentResult } from "../provider/port.ts";
import { NotSentError } from "../provider/port.ts";
import { sandbox } from "../provider/sandbox.ts";

/**
 * A provider with a ledger of its own, outside of what is tested: the sandbox, and tokens that make it behave badly.
 *
 * - `hang`: never answers, and moves no money.
 * - `wait`: answers when {@link release} is called, whoever still listens.
 * - `charge and break`: takes the money, then the connection breaks.
 * - `break`: the connection breaks, and no money moved. The error's text holds the token.
 * - `charge too much`
 */
export class Bank implements PaymentProvider {
  /** Every charge that moved money. */
  readonly ledger: { key: string; amount: bigint; currency: string }[] = [];
  /** The keys of what was given back; whoever asks again is told that it is. */
  readonly refunds: string[] = [];
  /** How the next refunds go wrong: nothing is asked, nothing is done, or it is done and the answer is lost. */
  readonly refundFaults: ("not sent" | "away" | "lost" | Promise<unknown>)[] = [];
  /** Every time it was asked, by token. */
  readonly asked: string[] = [];
  lookup?: NonNullable<PaymentProvider["lookup"]>;
  readonly #waiting: (() => void)[] = [];

  async charge(request: ChargeRequest): Promise<PaymentResult> {
    const { token } = request;
    this.asked.push(token);
    if (token === "hang") await new Promise(() => {});
    if (token === "wait") await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (token === "break") throw new Error(`connection reset while charging ${token}`);
    const result = await sandbox.charge(request);
    this.ledger.push({ key: request.idempotencyKey, amount: request.amount, currency: request.currency });
    if (token === "charge and break") throw Object.assign(new Error(`lost ${token}`), { request });
    return token === "charge too much" ? { ...result, amount: result.amount + 1n } : result;
  }

  /** How many wait for their answer. */
  get waiting(): number {
    return this.#waiting.length;
  }

  async refund(key: string): Promise<void> {
    const fault = this.refundFaults.shift();
    if (fault === "not sent") throw new NotSentError("no connection");
    if (fault === "away") throw new Error(`no refund of ${key}`);
    if (fault instanceof Promise) await fault;
    if (!this.ledger.some((entry) => entry.key === key)) throw new Error("there is no such charge");
    if (!this.refunds.includes(key)) this.refunds.push(key);
    if (fault === "lost") throw new Error("connection reset");
  }

  /** Lets those who wait have their answer. */
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** From now on it can be asked what became of a charge. */
  allowLookup(): this {
    this.lookup = async (key) => (this.ledger.some((entry) => entry.key === key) ? "charged" : "not_found");
    return this;
  }
}
