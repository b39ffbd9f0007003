import type pg from "pg";
import { Gauge } from "prom-client";

/** Shows a pool's use from now on, until the pool is closed. */
export function watchPool(pool: pg.Pool): () => void {
  POOLS.add(pool);
  return () => void POOLS.delete(pool);
}

const POOLS = new Set<pg.Pool>();

const sum = (count: (pool: pg.Pool) => number): number =>
  [...POOLS].reduce((total, pool) => total + count(pool), 0);

new Gauge({
  name: "boxoffice_database_connections",
  help: "Connections to the database: at work, idle, and how many there may be.",
  labelNames: ["state"],
  collect() {
    this.set(
      { state: "busy" },
      sum(({ totalCount, idleCount }) => totalCount - idleCount),
    );
    this.set(
      { state: "idle" },
      sum(({ idleCount }) => idleCount),
    );
    this.set(
      { state: "most" },
      sum(({ options }) => options.max ?? 0),
    );
  },
});

new Gauge({
  name: "boxoffice_database_waiting",
  help: "Statements and transactions that wait for a connection.",
  collect() {
    this.set(sum(({ waitingCount }) => waitingCount));
  },
});
