import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROCESSES, readLocalConfig, SERVICES } from "../../local/config.ts";
import { createOperatorToken } from "../../local/operator.ts";
import { freePort } from "../../local/ports.ts";
import { Stack } from "../../local/stack.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

export type BoxOffice = {
  stack: Stack;
  /** The data folder. */
  folder: string;
  database: TestDatabase;
  /** What points a command of ours at this box office. */
  env: Record<string, string>;
  operatorToken: string;
  end(): Promise<void>;
};

/**
 * The five processes as `npm start` runs them, with ports, keys and a nats-server of their own, and a database of
 * their own in the PostgreSQL of the run.
 */
export async function startBoxOffice(): Promise<BoxOffice> {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-stack-"));
  chmodSync(folder, 0o755);
  const database = await createTestDatabase(...SERVICES);
  const env: Record<string, string> = { BOXOFFICE_DATA: folder };
  for (const name of PROCESSES) {
    env[`${name.toUpperCase()}_PORT`] = String(await freePort());
    env[`${name.toUpperCase()}_ADMIN_PORT`] = String(await freePort());
  }
  const databases = SERVICES.map((name) => [`${name.toUpperCase()}_DATABASE_URL`, database.urlFor(name)]);
  const config = readLocalConfig({ ...env, ...Object.fromEntries(databases) });
  const stack = await Stack.claim(config, () => undefined);
  try {
    await stack.start();
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return {
    stack,
    folder,
    database,
    env,
    operatorToken: await createOperatorToken(stack.keysFolder),
    async end() {
      await stack.stop();
      await database.drop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
