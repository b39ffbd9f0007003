import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** What the provider did with somebody's money. `key` is the idempotency key: the payment's id. */
export type Entry = {
  kind: "charge" | "refund";
  key: string;
  amount: number;
  currency: string;
  /** Milliseconds since the epoch. */
  atMs: number;
};

/**
 * The provider's own books, in a file that outlives it. An entry is written before anybody is answered. Two charges
 * with one key are two entries: whoever asks twice shall be found out.
 */
export class Ledger {
  readonly #file: string;
  readonly #charges = new Map<string, Entry>();
  readonly #refunded = new Set<string>();

  constructor(file: string) {
    this.#file = file;
    for (const entry of readLedger(file)) this.#take(entry);
  }

  charge(key: string, amount: number, currency: string): void {
    this.#append({ kind: "charge", key, amount, currency, atMs: Date.now() });
  }

  /** Gives back once, however often it is asked. @returns false where there is no such charge */
  refund(key: string): boolean {
    const charge = this.#charges.get(key);
    if (charge === undefined) return false;
    if (!this.#refunded.has(key)) this.#append({ ...charge, kind: "refund", atMs: Date.now() });
    return true;
  }

  isCharged(key: string): boolean {
    return this.#charges.has(key);
  }

  #append(entry: Entry): void {
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`);
    this.#take(entry);
  }

  #take(entry: Entry): void {
    if (entry.kind === "charge") this.#charges.set(entry.key, entry);
    else this.#refunded.add(entry.key);
  }
}

/** All entries of a ledger, oldest first. A line that a kill cut off was never answered for. */
export function readLedger(file: string): Entry[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
}
