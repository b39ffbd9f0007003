import { chmodSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareNats } from "../../local/nats.ts";
import { findNatsServer } from "../../local/nats-server.ts";
import { freePort } from "../../local/ports.ts";
import { preparePostgres } from "../../local/postgres.ts";
import { Supervisor } from "../../local/supervisor.ts";
import { tell } from "./tell.ts";

/** Where a run's own servers are. */
export type ServerUrls = {
  /** PostgreSQL, as its superuser. */
  ownerUrl: string;
  natsUrl: string;
};

/**
 * Starts a PostgreSQL and a nats-server on free ports and in a temporary folder. They end with `stop`, and also
 * where this process is killed or the start fails.
 */
export async function startServers(): Promise<ServerUrls & { stop(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-test-"));
  chmodSync(folder, 0o755); // as root, PostgreSQL runs as another user
  const supervisor = new Supervisor(folder, tell);
  await supervisor.begin();
  await supervisor.removeAfterwards(folder);
  try {
    const [ownerUrl, natsUrl] = await Promise.all([
      startPostgres(supervisor, folder),
      startNats(supervisor, folder),
    ]);
    return { ownerUrl, natsUrl, stop: () => supervisor.stop() };
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

async function startPostgres(supervisor: Supervisor, folder: string): Promise<string> {
  const postgres = await preparePostgres({
    folder: join(folder, "postgres"),
    port: await freePort(),
    password: "postgres",
    durable: false,
    supervisor,
    tell,
  });
  await supervisor.removeAfterwards(postgres.folder);
  await supervisor.run(postgres.spec);
  return postgres.ownerUrl;
}

async function startNats(supervisor: Supervisor, folder: string): Promise<string> {
  const server = await findNatsServer(process.env, tell);
  const nats = prepareNats({ server, folder: join(folder, "nats"), port: await freePort(), durable: false });
  await supervisor.run(nats.spec);
  return nats.url;
}
