/** Counts what each client has open at a time, and refuses what is too much. */
export class PerClient {
  readonly #max: number;
  readonly #open = new Map<string, number>();

  /** @param max for each client; 0 sets no limit */
  constructor(max: number) {
    this.#max = max;
  }

  /** @returns what ends it, to be called once; undefined where the client has too much open already */
  enter(client: string): (() => void) | undefined {
    const open = this.#open.get(client) ?? 0;
    if (this.#max > 0 && open >= this.#max) return undefined;
    this.#open.set(client, open + 1);
    return () => {
      const left = (this.#open.get(client) ?? 0) - 1;
      if (left > 0) this.#open.set(client, left);
      else this.#open.delete(client);
    };
  }
}
