import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { prepareNats } from "../../local/nats.ts";
import { findNatsServer } from "../../local/nats-server.ts";
import { freePort } from "../../local/ports.ts";
import { preparePostgres } from "../../local/postgres.ts";
import { Supervisor } from "../../local/supervisor.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A PostgreSQL of this test run's own, as its superuser. Make databases there; leave this one alone. */
    ownerUrl: string;
    /** A nats-server of this test run's own, with JetStream. Every test file uses subjects or streams of its own. */
    natsUrl: string;
  }
}

/**
 * Starts one PostgreSQL and one nats-server for the whole run, on free ports and in a temporary folder, so that
 * tests never meet what `npm start` runs. They end with the run, also where it is killed.
 */
export async function setup(project: TestProject): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-test-"));
  chmodSync(folder, 0o755); // as root, PostgreSQL runs as another user
  supervisor = new Supervisor(folder, tell);
  await supervisor.begin();
  await supervisor.removeAfterwards(folder);
  const [ownerUrl, natsUrl] = await Promise.all([
    startPostgres(supervisor, folder),
    startNats(supervisor, folder),
  ]);
  project.provide("ownerUrl", ownerUrl);
  project.provide("natsUrl", natsUrl);
}

/** Where the run is killed, or the set-up fails, the guard does the same. */
export async function teardown(): Promise<void> {
  await supervisor?.stop();
}

let supervisor: Supervisor | undefined;

const tell = (line: string) => void process.stderr.write(`${line}\n`);

async function startPostgres(owner: Supervisor, folder: string): Promise<string> {
  const postgres = await preparePostgres({
    folder: join(folder, "postgres"),
    port: await freePort(),
    password: "postgres",
    durable: false,
    supervisor: owner,
    tell,
  });
  await owner.removeAfterwards(postgres.folder);
  await owner.run(postgres.spec);
  return postgres.ownerUrl;
}

async function startNats(owner: Supervisor, folder: string): Promise<string> {
  const server = await findNatsServer(process.env, tell);
  const nats = prepareNats({ server, folder: join(folder, "nats"), port: await freePort(), durable: false });
  await owner.run(nats.spec);
  return nats.url;
}
