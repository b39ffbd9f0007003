import { EventEmitter } from "node:events";
import type pg from "pg";
import type { Backend, Outcome } from "./backends.ts";
import type { Host } from "./host.ts";
import { Judge } from "./judge.ts";
import type { World } from "./world.ts";

type Callback = (error: Error | null | undefined, result?: pg.QueryResult) => void;

/** A statement that its process has handed over, and what is waiting for its answer. */
type Sent = { statement: pg.QueryConfig; label: string; answer(outcome: Outcome): void };

/** What becomes of a connection when a statement of it gets its turn. */
export type ConnectionFault = "lost before" | "lost after";

/**
 * What a process's pool takes for a connection. Each statement waits for its turn, after those before it on the same
 * connection, and so does some of the answers.
 */
export class SimulatedConnection extends EventEmitter {
  /** The pool looks at these. */
  _queryable = true;
  _ending = false;
  readonly #world: World;
  readonly #host: Host;
  readonly #schema: string;
  readonly #number: number;
  readonly #types: pg.CustomTypesConfig | undefined;
  readonly #queue: Sent[] = [];
  #backend: Backend | undefined;
  #isBusy = false;
  /** Whether the first of the queue is with PostgreSQL. */
  #isSent = false;
  #isDeciding = false;
  #isInTransaction = false;
  /** Whether a transaction is to begin with the next statement. */
  #begins = false;
  /** When the transaction had the last of the rows that it decides about. */
  #lockedAtMs = 0;

  constructor(world: World, host: Host, schema: string, config: pg.ClientConfig) {
    super();
    this.#world = world;
    this.#host = host;
    this.#schema = schema;
    this.#types = config.types;
    this.#number = host.connections.push(this);
  }

  /** Between the reading of the sale's clock and the commit, unless it waits for what it decides about. */
  get isDeciding(): boolean {
    if (!this.#isDeciding || this.#schema !== "reservation") return false;
    return !(this.#isSent && Judge.locksToDecide(this.#queue[0]?.statement.text ?? ""));
  }

  connect(callback: (error?: Error) => void): void {
    this.#world.scheduler.beforeNext(async () => {
      if (!this.#host.isAlive) return;
      this.#backend = await this.#world.backends.take(this.#schema);
      callback();
    });
  }

  query(
    config: string | pg.QueryConfig,
    values?: unknown[] | Callback,
    callback = typeof values === "function" ? values : undefined,
  ): Promise<pg.QueryResult> {
    const statement = typeof config === "string" ? { text: config } : config;
    const answered = new Promise<pg.QueryResult>((resolve, reject) => {
      const answer = (outcome: Outcome) => {
        if (callback !== undefined) {
          if ("error" in outcome) callback(outcome.error);
          else callback(null, outcome.result);
        } else if ("error" in outcome) reject(outcome.error);
        else resolve(outcome.result);
      };
      if (!this._queryable) return void queueMicrotask(() => answer({ error: NOT_QUERYABLE() }));
      this.#queue.push({ statement, label: labelOf(statement), answer });
      this.#wait();
    });
    return answered;
  }

  end(callback?: () => void): void {
    this._ending = true;
    const backend = this.#backend;
    this.#backend = undefined;
    if (backend !== undefined) this.#world.scheduler.beforeNext(() => this.#world.backends.giveBack(backend));
    if (callback) process.nextTick(callback);
  }

  ref(): void {}
  unref(): void {}
  isConnected(): boolean {
    return true;
  }

  /** Its process has died. */
  async terminate(): Promise<void> {
    const backend = this.#backend;
    this.#backend = undefined;
    this.#isDeciding = false;
    if (backend !== undefined) await this.#world.backends.terminate(backend);
  }

  #wait(): void {
    if (this.#isBusy) return;
    if (this.#queue[0]?.statement.text === "begin") this.#begin();
    const [next] = this.#queue;
    if (next === undefined) return;
    this.#isBusy = true;
    this.#world.scheduler.add({
      kind: "statement",
      host: this.#host,
      label: `#${this.#number} ${next.label}`,
      take: () => this.#send(next),
    });
  }

  /** Goes out with the statement after it, and needs no turn of its own. */
  #begin(): void {
    this.#begins = true;
    const sent = this.#queue.shift();
    queueMicrotask(() => sent?.answer({ result: BEGUN }));
  }

  async #send(sent: Sent): Promise<void> {
    const { backends, faults, scheduler } = this.#world;
    const backend = this.#backend;
    if (backend === undefined) throw new Error("a statement waits on a connection that is closed");
    const fault = faults.ofConnection(sent.label);
    if (fault === "lost before") {
      await this.#lose();
    } else {
      if (this.#begins) backends.begin(backend);
      if (this.#begins) this.#isInTransaction = true;
      this.#begins = false;
      this.#isSent = true;
      const types = this.#types && { types: this.#types };
      backends.send(
        backend,
        { ...sent.statement, ...types },
        `${this.#host.name} #${this.#number}`,
        (outcome) => {
          this.#isSent = false;
          scheduler.note(`  ${this.#host.name} #${this.#number} ${sent.label}: ${wordOf(outcome)}`);
          this.#follow(sent.statement, outcome);
          if (fault === "lost after") scheduler.beforeNext(() => this.#lose());
          else this.#answer(sent, outcome);
        },
      );
    }
    await this.#world.untilQuiet();
  }

  /** PostgreSQL has answered: the next statement may go out, whether or not the process has the answer yet. */
  #answer(sent: Sent, outcome: Outcome): void {
    this.#queue.shift();
    this.#isBusy = false;
    const tell = () => sent.answer(outcome);
    if (this.#world.faults.isAnswerSlow()) {
      const label = `#${this.#number} ${sent.label} is answered`;
      this.#world.scheduler.add({ kind: "answer", host: this.#host, label, take: tell });
    } else tell();
    this.#wait();
  }

  /** The connection breaks: what was not committed is undone, and nobody here knows what was. */
  async #lose(): Promise<void> {
    const backend = this.#backend;
    this.#backend = undefined;
    this._queryable = false;
    this.#isDeciding = false;
    this.#world.scheduler.note(`  ${this.#host.name} #${this.#number} loses its connection`);
    if (backend !== undefined) await this.#world.backends.giveBack(backend);
    await this.#world.untilQuiet();
    for (const { answer } of this.#queue.splice(0))
      answer({ error: new Error("Connection terminated unexpectedly") });
  }

  #follow({ text, name, values }: pg.QueryConfig, outcome: Outcome): void {
    if (text === "commit" || text === "rollback") {
      this.#isInTransaction = false;
      this.#isDeciding = false;
      this.#lockedAtMs = 0;
    }
    if (this.#backend) this.#backend.isInTransaction = this.#isInTransaction;
    if ("error" in outcome || !this.#isInTransaction) return;
    const { clock, judge } = this.#world;
    if (Judge.locksToDecide(text)) this.#lockedAtMs = clock.nowMs;
    if (text.includes(".clock()")) this.#isDeciding = true;
    if (name === "lock-stock") judge.stockGranted(this.#host);
    if (name === "append-outbox") judge.decided(this.#host, values?.[2] as Buffer[], this.#lockedAtMs);
  }
}

const BEGUN = { command: "BEGIN", rows: [], rowCount: null, oid: 0, fields: [] } satisfies pg.QueryResult;

const NOT_QUERYABLE = () => new Error("Client has encountered a connection error and is not queryable");

function labelOf({ name, text }: pg.QueryConfig): string {
  return name ?? text.trim().split(/\s+/).slice(0, 3).join(" ");
}

function wordOf(outcome: Outcome): string {
  if ("result" in outcome) return String(outcome.result.rowCount ?? outcome.result.command);
  return "code" in outcome.error ? String(outcome.error.code) : outcome.error.message;
}
