import pg from "pg";
import { until } from "./until.ts";

const WAIT_MS = 15_000;

/** Rows that a test holds locked, in a transaction of its own, so that others come to wait for them. */
export class RowLock {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  /** @param text a statement that locks or changes rows */
  static async take(ownerUrl: string, text: string, values: unknown[]): Promise<RowLock> {
    const client = new pg.Client({ connectionString: ownerUrl, application_name: "row lock" });
    client.on("error", () => {}); // whoever uses it next is told
    await client.connect();
    await client.query("begin");
    await client.query(text, values);
    return new RowLock(client);
  }

  /** Resolves when somebody waits for these rows. */
  async isAwaited(): Promise<void> {
    await until("somebody waits for the lock", WAIT_MS, async () => {
      const { rows } = await this.#client.query(
        "select 1 from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid)) limit 1",
      );
      return rows.length > 0;
    });
  }

  /** Lets the others go on; what was changed under the lock is kept. */
  async release(): Promise<void> {
    await this.#client.query("commit");
    await this.#client.end();
  }
}
