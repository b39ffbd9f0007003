import pg from "pg";
import { BoxofficeError } from "./errors.ts";
import type { Logger } from "./log.ts";
import { watchPool } from "./pool-metrics.ts";
import { isTracing, traced } from "./tracing.ts";

/** One SQL statement. Give a `name` to statements of the hot path: the server then plans them once. */
export type Statement = { text: string; values?: unknown[]; name?: string };

/**
 * Where statements run: a transaction or the pool. What must commit together takes a `Queryable` as its first
 * argument. int8 and numeric arrive as bigint and string, timestamptz as Date: columns are timestamptz(3), so
 * nothing is lost.
 */
export type Queryable = {
  query<Row extends object>(statement: Statement): Promise<Row[]>;
};

/**
 * An open transaction. Statements queried without awaiting go out together (pipelined); when one fails, those
 * behind it fail too, so a transaction succeeds or fails as a whole.
 */
export type Transaction = Queryable & {
  /**
   * Sends a statement whose rows nobody needs. The last of them go out together with the commit, which saves a
   * round trip; when one fails, the transaction does.
   */
  write(statement: Statement): void;
};

export type DatabaseOptions = {
  url: string;
  /** Shown in `pg_stat_activity`. */
  name: string;
  log: Logger;
  /** Connections at most; 10 unless told. */
  maxConnections?: number;
  /** How long one statement may run, in milliseconds; 5,000 unless told. */
  statementTimeoutMs?: number;
  /**
   * Whether statements may read whole tables where an index would do. The plan of a named statement is made when its
   * table is new, when reading all of it costs least, and kept while the table grows: a look-up would come to read
   * a hundred thousand rows. For those who mostly count over everything.
   */
  readsWholeTables?: boolean;
  /** What makes connections; pg unless told. A simulation decides here when each statement goes out. */
  Client?: new () => pg.ClientBase;
};

/** A transaction that lost a race for locks is run again this many times before its caller hears of it. */
const ATTEMPTS = 4;

/** The server's `deadlock_detected` and `serialization_failure`: the whole transaction may be run again. */
const RETRYABLE = new Set(["40P01", "40001"]);

/** SQLSTATE classes that say the database is away or full, rather than that a statement was wrong. */
const UNAVAILABLE_CLASSES = new Set(["08", "53", "57", "58"]);

const DEPENDENCY_RETRY_MS = 1_000;

/**
 * A plan is kept for so long at most. PostgreSQL itself would keep it until the first automatic ANALYZE: what a plan
 * that was made for an empty table costs, a sale has multiplied by a hundred thousand by then.
 */
const PLANS_KEPT_MS = 1_000;

/** A pool of connections to one PostgreSQL, as one role. */
export class Database implements Queryable {
  readonly #pool: pg.Pool;
  readonly #unwatch: () => void;

  constructor(options: DatabaseOptions) {
    const { url, name, log, maxConnections = 10, statementTimeoutMs = 5_000, Client } = options;
    const { readsWholeTables = false } = options;
    this.#pool = new pg.Pool({
      connectionString: url,
      application_name: name,
      max: maxConnections,
      pipeline: true,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 60_000,
      statement_timeout: statementTimeoutMs,
      lock_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
      ...(!readsWholeTables && { options: "-c enable_seqscan=off" }),
      types: { getTypeParser },
      Client,
    });
    this.#unwatch = watchPool(this.#pool);
    // A connection that dies reports it here while idle, and on itself while in use.
    const lost = (error: Error) => log.warn({ error }, "lost a connection to the database");
    this.#pool.on("error", lost);
    this.#pool.on("connect", (client) => void client.on("error", lost));
    if (Client === undefined) this.#pool.on("acquire", planAnewInTime());
  }

  /** @throws BoxofficeError DEPENDENCY_UNAVAILABLE when the database does not answer */
  async query<Row extends object>(statement: Statement): Promise<Row[]> {
    try {
      return await tracedQuery(statement, async () => (await this.#pool.query<Row>(statement)).rows);
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  /**
   * Runs `work` in a READ COMMITTED transaction and commits it. After a deadlock the whole of `work` runs
   * again, so it must change nothing but the database.
   *
   * @throws BoxofficeError DEPENDENCY_UNAVAILABLE when the database does not answer. Whether a commit whose
   *   answer was lost took place is then unknown.
   */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await traced("transaction", CLIENT_SPAN, () => this.#attempt(work));
      } catch (error) {
        if (attempt === ATTEMPTS || !RETRYABLE.has(sqlState(error) ?? "")) throw asUnavailable(error);
      }
    }
  }

  /** Whether the database answers, within `timeoutMs`. */
  async answers(timeoutMs = 2_000): Promise<boolean> {
    const deadline = new Promise<never>((_, reject) => {
      setTimeout(reject, timeoutMs, new Error("no answer")).unref();
    });
    return Promise.race([this.#pool.query("select 1"), deadline]).then(
      () => true,
      () => false,
    );
  }

  /** Waits for running statements, then disconnects. */
  close(): Promise<void> {
    this.#unwatch();
    return this.#pool.end();
  }

  async #attempt<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    const sent: Promise<unknown>[] = [];
    const send = (statement: Statement) => {
      gather(client);
      const answered = ask(client, statement);
      answered.catch(() => {}); // whoever fails first is reported by `work`'s own statements or below
      sent.push(answered);
      return answered;
    };
    let broken = true;
    try {
      void send({ text: "begin" });
      const tx: Transaction = {
        query: <Row extends object>(statement: Statement) =>
          tracedQuery(statement, async () => {
            gather(client);
            return (await ask<Row>(client, statement)).rows;
          }),
        write: (statement) => void send(statement),
      };
      const result = await work(tx);
      // After a statement that failed, PostgreSQL answers a commit by rolling back: it may go out with the writes.
      const committed = send({ text: "commit" });
      await Promise.all(sent);
      if ((await committed).command !== "COMMIT") throw new Error("the transaction was rolled back");
      broken = false;
      return result;
    } catch (error) {
      broken = await client.query("rollback").then(
        () => false,
        () => true,
      );
      throw error;
    } finally {
      client.release(broken);
    }
  }
}

/** Tells a connection that is about to be used, in the same write, to forget plans that are too old. */
function planAnewInTime(): (client: pg.PoolClient) => void {
  const plannedAtMs = new WeakMap<pg.PoolClient, number>();
  return (client) => {
    const nowMs = performance.now();
    if (nowMs - (plannedAtMs.get(client) ?? Number.NEGATIVE_INFINITY) < PLANS_KEPT_MS) return;
    plannedAtMs.set(client, nowMs);
    gather(client);
    client.query("discard plans", () => {}); // where it fails, so does what comes after it
  };
}

/**
 * With a callback: where pg makes the promise, it assigns a function to the query that V8 puts among the old objects
 * at once, so that query, rows and promise would be kept, and copied, until the next major collection.
 */
function ask<Row extends object>(client: pg.ClientBase, statement: Statement): Promise<pg.QueryResult<Row>> {
  return new Promise((resolve, reject) => {
    void client.query<Row>(statement, (error: Error | null, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}

/**
 * What is sent in one turn of the event loop goes out in one write, because each write is a system call, and each
 * arrival wakes PostgreSQL.
 */
function gather(client: pg.ClientBase): void {
  const stream = "connection" in client && (client.connection as pg.Connection).stream;
  if (!stream || stream.writableCorked > 0) return;
  stream.cork();
  process.nextTick(() => stream.uncork());
}

const CLIENT_SPAN = { kind: "CLIENT", attributes: { "db.system.name": "postgresql" } } as const;

/** Statements go by their names: their texts say nothing more, and their values are nobody's business. */
function tracedQuery<T>(statement: Statement, query: () => Promise<T>): Promise<T> {
  if (!isTracing()) return query();
  const name = statement.name ?? statement.text.trim().split(/\s/, 1)[0] ?? "statement";
  return traced(name, CLIENT_SPAN, query);
}

/**
 * An array of ids, hex digits or numbers, some of them null, as PostgreSQL reads it. pg writes arrays too, but looks
 * at each element for what might have to be quoted: this is for the hot path.
 */
export function plainArray(values: readonly (string | number | bigint | null)[]): string {
  return `{${values.map((value) => value ?? "null").join(",")}}`;
}

/** The SQLSTATE of a database error, or undefined for anything else. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** The name of the violated constraint, where `error` is such a violation. */
export function violatedConstraint(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError && error.code?.startsWith("23") ? error.constraint : undefined;
}

/** A database that is away is the caller's to retry; a statement that is wrong stays what it is: a defect. */
function asUnavailable(error: unknown): unknown {
  if (error instanceof BoxofficeError) return error;
  const state = sqlState(error);
  const away = state === undefined ? isConnectionError(error) : UNAVAILABLE_CLASSES.has(state.slice(0, 2));
  if (!away) return error;
  return new BoxofficeError(
    "DEPENDENCY_UNAVAILABLE",
    "The service cannot reach its database. Try again shortly.",
    {
      retryAfterMs: DEPENDENCY_RETRY_MS,
      cause: error,
    },
  );
}

/** pg reports a lost or refused connection as a plain Error, with a system code or with one of these texts. */
function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ("code" in error && typeof error.code === "string" && /^E[A-Z]+$/.test(error.code)) return true;
  return /connection (terminated|timeout|ended)|timeout exceeded when trying to connect|not queryable|client was closed/i.test(
    error.message,
  );
}

const INT8 = pg.types.builtins.INT8;

function getTypeParser(oid: number, format?: "text" | "binary") {
  return oid === INT8 ? BigInt : pg.types.getTypeParser(oid, format);
}
