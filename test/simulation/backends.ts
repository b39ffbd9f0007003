import pg from "pg";
import type { Random } from "../faults/random.ts";
import { createFreshDatabase } from "../support/fresh-database.ts";

/** A schema's own connection to PostgreSQL, lent to one simulated connection after the other. */
export type Backend = {
  schema: string;
  pid: number;
  client: pg.Client;
  /** Whether it may hold locks between two statements. */
  isInTransaction: boolean;
};

export type Outcome = { result: pg.QueryResult } | { error: Error };

/** A statement that PostgreSQL has and has not answered yet. */
type Flight = {
  backend: Backend;
  label: string;
  outcome?: Outcome;
  /** Whether it was found waiting for a lock when last looked at. */
  isBlocked: boolean;
  /** Whether its process is stopped, so that it does not go on by itself. */
  isFrozen: boolean;
  isVictim: boolean;
  answer(outcome: Outcome): void;
};

/** A statement that was not answered within this is looked at: it may be waiting for a lock. */
const LOOK_AFTER_MS = 2;

/** Waiting for each other is found here, and its victim drawn: PostgreSQL must not be faster. */
const DEADLOCK_TIMEOUT = "1h";

const SERVICES = ["reservation", "payment"];

/**
 * A PostgreSQL database with the schemas of reservation and payment, whose clocks read a sequence, and connections to
 * it. Used by one simulation after the other.
 */
export class Backends {
  /** Statements that ran into a deadlock. */
  deadlocks = 0;
  readonly #urlOf: (schema: string) => string;
  readonly #monitor: pg.Client;
  readonly #drop: () => Promise<void>;
  readonly #spare: Backend[] = [];
  readonly #lent = new Set<Backend>();
  readonly #flights = new Set<Flight>();
  #answered = Promise.withResolvers<void>();
  #answers = 0;
  /** Whether a transaction has ended since those who wait for locks were looked at. */
  #mayGoOn = false;

  readonly ownerUrl: string;

  private constructor(database: Awaited<ReturnType<typeof createFreshDatabase>>, monitor: pg.Client) {
    this.ownerUrl = database.ownerUrl;
    this.#urlOf = database.urlFor;
    this.#monitor = monitor;
    this.#drop = database.drop;
  }

  /** @param serverUrl of a database on a server to make another one on, as its superuser */
  static async open(serverUrl: string): Promise<Backends> {
    const database = await createFreshDatabase(serverUrl, SERVICES);
    const monitor = new pg.Client({ connectionString: database.ownerUrl });
    await monitor.connect();
    await monitor.query(SIMULATED_CLOCK);
    await monitor.query(`alter database ${monitor.database} set deadlock_timeout = '${DEADLOCK_TIMEOUT}'`);
    return new Backends(database, monitor);
  }

  async close(): Promise<void> {
    for (const { client } of this.#spare) await client.end();
    await this.#monitor.end();
    await this.#drop();
  }

  /** Empties all tables. */
  async clear(): Promise<void> {
    await this.#monitor.query(TABLES.map((table) => `delete from ${table}`).join(";"));
    await this.#monitor.query(`vacuum (process_toast false) ${TABLES.join(", ")}`);
  }

  async setClock(ms: number): Promise<void> {
    await this.#monitor.query({
      name: "set-clock",
      text: "select setval('simulation.clock', $1)",
      values: [ms],
    });
  }

  /** As the owner, outside of the simulation. */
  async look<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#monitor.query<Row>({ text, values })).rows;
  }

  async take(schema: string): Promise<Backend> {
    const backend = await this.#spareOrNew(schema);
    this.#lent.add(backend);
    return backend;
  }

  async #spareOrNew(schema: string): Promise<Backend> {
    const index = this.#spare.findIndex((backend) => backend.schema === schema);
    if (index >= 0) return this.#spare.splice(index, 1)[0] as Backend;
    const client = new pg.Client({ connectionString: this.#urlOf(schema), pipeline: true });
    client.on("error", () => {}); // it is ended on purpose
    await client.connect();
    const { pid } = (await client.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0] ?? {
      pid: 0,
    };
    return { schema, pid, client, isInTransaction: false };
  }

  /** To be lent to another connection: what was not committed is undone. */
  async giveBack(backend: Backend): Promise<void> {
    this.#freeze();
    if (backend.isInTransaction) await backend.client.query("rollback");
    this.#mayGoOn = true;
    backend.isInTransaction = false;
    this.#lent.delete(backend);
    this.#spare.push(backend);
  }

  /** As when its client's process dies. */
  async terminate(backend: Backend): Promise<void> {
    const own = [...this.#flights].filter((flight) => flight.backend === backend);
    if (own.length === 0) return this.giveBack(backend); // it only undoes its transaction
    for (const flight of own) {
      this.#thaw(flight); // it could not end
      this.#flights.delete(flight);
    }
    this.#freeze();
    this.#lent.delete(backend);
    this.#mayGoOn = true;
    const ended = new Promise<void>((resolve) => void backend.client.once("end", resolve));
    await this.#monitor.query("select pg_terminate_backend($1)", [backend.pid]);
    await ended;
  }

  /** Begins a transaction: with the next statement, because it does nothing that anybody would notice. */
  begin(backend: Backend): void {
    backend.isInTransaction = true;
    const { stream } = (backend.client as unknown as { connection: pg.Connection }).connection;
    stream.cork(); // both go out in one write
    process.nextTick(() => stream.uncork());
    backend.client.query("begin").catch(() => {}); // the statement after it fails then
  }

  /** Sends a statement. It is answered in {@link quiet}, of this turn or, where it has to wait for a lock, of another. */
  send(backend: Backend, statement: pg.QueryConfig, label: string, answer: (outcome: Outcome) => void): void {
    this.#freeze();
    const flight: Flight = { backend, label, isBlocked: false, isFrozen: false, isVictim: false, answer };
    this.#flights.add(flight);
    const endsTransaction = !backend.isInTransaction || /^(commit|rollback)$/.test(statement.text);
    const answered = (outcome: Outcome) => {
      flight.outcome = outcome;
      if (endsTransaction || "error" in outcome) this.#mayGoOn = true;
      this.#answers++;
      this.#answered.resolve();
    };
    backend.client.query(statement).then(
      (result) => answered({ result }),
      (error: Error) => answered({ error }),
    );
  }

  /** How many statements wait for a lock. */
  get blocked(): number {
    return this.#flights.size;
  }

  /**
   * Waits until PostgreSQL has nothing to do any more: each statement is answered or waits for a lock. What was
   * answered is then told, in the order of the sending.
   *
   * @returns the statements that have to wait
   */
  async quiet(random: Random): Promise<string[]> {
    for (;;) {
      const running = [...this.#flights].filter(({ outcome }) => outcome === undefined);
      if (running.length === 0) break;
      const before = this.#answers;
      if (running.some(({ isBlocked }) => !isBlocked)) await this.#nextAnswer(running);
      if (this.#answers !== before) continue;
      if (!this.#mayGoOn && running.every(({ isBlocked, isFrozen }) => isBlocked && !isFrozen)) break;
      const blockers = await this.#blockers(running);
      if (this.#answers !== before) continue;
      this.#mayGoOn = false;
      const isFree = ({ backend }: Flight) => (blockers.get(backend.pid)?.length ?? 0) === 0;
      for (const flight of running) if (!flight.isFrozen) flight.isBlocked = !isFree(flight);
      if (running.some(({ isBlocked }) => !isBlocked)) continue;
      const next = running.find((flight) => flight.isFrozen && isFree(flight));
      if (next !== undefined) {
        this.#thaw(next);
        next.isBlocked = false;
        continue;
      }
      for (const flight of running) this.#thaw(flight);
      const cycle = cycleIn(blockers);
      if (cycle === undefined) break;
      await this.#breakUp(running, cycle, random);
    }
    for (const flight of this.#flights) {
      if (flight.outcome === undefined) continue;
      this.#flights.delete(flight);
      flight.answer(flight.isVictim ? { error: deadlock() } : flight.outcome);
    }
    return [...this.#flights].map(({ label }) => label);
  }

  /**
   * Stops those who wait for locks, where there are several: whatever is done now may let them go on at once, and who of
   * them then is first at the next version of a row is nobody's decision. {@link quiet} lets them go on one at a time.
   */
  #freeze(): void {
    const waiting = [...this.#flights].filter(({ isBlocked, outcome }) => isBlocked && outcome === undefined);
    if (waiting.length < 2) return;
    for (const flight of waiting) {
      if (!flight.isFrozen) process.kill(flight.backend.pid, "SIGSTOP");
      flight.isFrozen = true;
    }
  }

  #thaw(flight: Flight): void {
    if (flight.isFrozen) process.kill(flight.backend.pid, "SIGCONT");
    flight.isFrozen = false;
  }

  /** Where somebody may hold a lock, not for long. */
  async #nextAnswer(running: readonly Flight[]): Promise<void> {
    const answered = Promise.withResolvers<void>();
    this.#answered = answered;
    const others = [...this.#lent].filter(({ isInTransaction }) => isInTransaction);
    const isAlone = running.length === 1 && others.every((backend) => backend === running[0]?.backend);
    const timer = isAlone ? undefined : setTimeout(answered.resolve, LOOK_AFTER_MS);
    await answered.promise;
    clearTimeout(timer);
  }

  async #blockers(flights: readonly Flight[]): Promise<Map<number, number[]>> {
    const { rows } = await this.#monitor.query<{ pid: number; by: number[] }>({
      name: "blockers",
      text: "select pid, pg_blocking_pids(pid) as by from unnest($1::int[]) as pid",
      values: [flights.map(({ backend }) => backend.pid)],
    });
    return new Map(rows.map(({ pid, by }) => [pid, by]));
  }

  async #breakUp(flights: readonly Flight[], cycle: readonly number[], random: Random): Promise<void> {
    this.deadlocks++;
    const victim = random.pick(flights.filter(({ backend }) => cycle.includes(backend.pid)));
    this.#freeze();
    this.#thaw(victim);
    victim.isVictim = true;
    victim.isBlocked = false;
    await this.#monitor.query("select pg_cancel_backend($1)", [victim.backend.pid]);
  }
}

/** The first that wait for each other, in any. */
function cycleIn(blockers: ReadonlyMap<number, readonly number[]>): number[] | undefined {
  for (const start of blockers.keys()) {
    const path: number[] = [];
    const visit = (pid: number): number[] | undefined => {
      const at = path.indexOf(pid);
      if (at >= 0) return path.slice(at);
      path.push(pid);
      for (const next of blockers.get(pid) ?? []) {
        const found = visit(next);
        if (found) return found;
      }
      path.pop();
      return undefined;
    };
    const found = visit(start);
    if (found) return found;
  }
  return undefined;
}

function deadlock(): Error {
  return Object.assign(new pg.DatabaseError("deadlock detected", 0, "error"), { code: "40P01" });
}

/** The schemas' only clocks, replaced. Without autovacuum, a table's rows lie as the seed says. */
const SIMULATED_CLOCK = `
  create schema simulation;
  create sequence simulation.clock;
  grant usage on schema simulation to public;
  grant select on simulation.clock to public;
  create or replace function reservation.clock() returns timestamptz language sql volatile
    as $$ select timestamptz 'epoch' + last_value * interval '1 millisecond' from simulation.clock $$;
  create or replace function payment.clock() returns timestamptz language sql volatile
    as $$ select timestamptz 'epoch' + last_value * interval '1 millisecond' from simulation.clock $$;
  do $$
  declare name regclass;
  begin
    for name in select oid from pg_class where relkind = 'r'
      and relnamespace in ('reservation'::regnamespace, 'payment'::regnamespace)
    loop
      execute format('alter table %s set (autovacuum_enabled = false)', name);
      if name::text like '%audit_entries' then execute format('alter table %s disable trigger user', name); end if;
    end loop;
  end $$`;

/** Those that refer to others first. */
const TABLES = [
  "reservation.outbox",
  "reservation.aborted_payments",
  "reservation.reservation_items",
  "reservation.reservations",
  "reservation.ticket_types",
  "reservation.events",
  "payment.outbox",
  "payment.acts",
  "payment.payments",
  "payment.audit_entries",
];
