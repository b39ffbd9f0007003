import { FaultProxy, type Link } from "./proxy.ts";

/** `before`: the COMMIT never arrives, and the transaction is undone. `after`: it takes place, and its answer is lost. */
export type LostWhen = "before" | "after";

const COMMIT = /\bcommit\b/i;
/** The server's word for a transaction that has committed: the tag of a CommandComplete message. */
const COMMITTED = Buffer.from("COMMIT\0");

/**
 * The way from a service to its database, which breaks at the COMMIT of one transaction: the one that spoke of a
 * certain thing, wherever that stands in its statements.
 */
export class LossyDatabase {
  readonly #proxy: FaultProxy;
  readonly #databaseUrl: URL;
  #armed: { mark: Buffer; when: LostWhen; lost: () => void } | undefined;

  private constructor(databaseUrl: URL, proxy: FaultProxy) {
    this.#databaseUrl = databaseUrl;
    this.#proxy = proxy;
  }

  static async open(databaseUrl: string): Promise<LossyDatabase> {
    const url = new URL(databaseUrl);
    const proxy = new FaultProxy(url.host);
    await proxy.start();
    const lossy = new LossyDatabase(url, proxy);
    lossy.#listen();
    return lossy;
  }

  /** The database, by this way. */
  get url(): string {
    const url = new URL(this.#databaseUrl);
    url.host = this.#proxy.address;
    return url.href;
  }

  /**
   * Breaks the connection at the COMMIT of the next transaction that speaks of `mark`, such as an id.
   *
   * @returns a promise that resolves when it has happened
   */
  loseCommitOf(mark: string, when: LostWhen): Promise<void> {
    return new Promise((resolve) => {
      this.#armed = { mark: Buffer.from(mark), when, lost: resolve };
    });
  }

  stop(): Promise<void> {
    return this.#proxy.stop();
  }

  #listen(): void {
    const marked = new WeakSet<Link>();
    const deaf = new WeakMap<Link, () => void>();
    this.#proxy.fromClient = (chunk, link) => {
      const armed = this.#armed;
      if (armed === undefined) return true;
      const at = chunk.indexOf(armed.mark);
      if (at >= 0) marked.add(link);
      const rest = chunk.subarray(Math.max(0, at)).toString("latin1");
      if (!marked.has(link) || !COMMIT.test(rest)) return true;
      this.#armed = undefined;
      if (armed.when === "after") {
        deaf.set(link, armed.lost);
        return true;
      }
      this.#proxy.sever(link);
      armed.lost();
      return false;
    };
    this.#proxy.fromServer = (chunk, link) => {
      const lost = deaf.get(link);
      if (lost === undefined) return true;
      if (!chunk.includes(COMMITTED)) return false;
      this.#proxy.sever(link);
      lost();
      return false;
    };
  }
}
