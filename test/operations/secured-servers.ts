import { appendFileSync, chmodSync, chownSync, mkdtempSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepareNats } from "../../local/nats.ts";
import { findNatsServer } from "../../local/nats-server.ts";
import { freePort } from "../../local/ports.ts";
import { preparePostgres } from "../../local/postgres.ts";
import { Supervisor } from "../../local/supervisor.ts";
import { Authority } from "../support/certificates.ts";
import type { ServerUrls } from "../support/start-servers.ts";
import { tell } from "../support/tell.ts";

const NATS_PASSWORD = "p@ss/word";

/** A PostgreSQL and a nats-server that take no connection without TLS, and who vouches for them. */
export type SecuredServers = ServerUrls & {
  authority: Authority;
  /** For whatever else the test writes. */
  folder: string;
  stop(): Promise<void>;
};

/** Starts both. NATS also asks for a certificate and a password. */
export async function startSecuredServers(): Promise<SecuredServers> {
  const folder = mkdtempSync(join(tmpdir(), "boxoffice-secured-"));
  chmodSync(folder, 0o755);
  const supervisor = new Supervisor(folder, tell);
  await supervisor.begin();
  await supervisor.removeAfterwards(folder);
  try {
    const authority = await Authority.make(folder, "box office");
    const [ownerUrl, natsUrl] = await Promise.all([
      startPostgres(supervisor, folder, authority),
      startNats(supervisor, folder, authority),
    ]);
    return { ownerUrl, natsUrl, authority, folder, stop: () => supervisor.stop() };
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

async function startPostgres(supervisor: Supervisor, folder: string, authority: Authority): Promise<string> {
  const { cert, key } = await authority.issue("postgres");
  const postgres = await preparePostgres({
    folder: join(folder, "postgres"),
    port: await freePort(),
    password: "postgres",
    durable: false,
    supervisor,
    tell: () => undefined,
  });
  const { uid, gid } = statSync(postgres.folder);
  chownSync(key, uid, gid); // it takes no key that is somebody else's
  const settings = { ssl: "on", ssl_cert_file: cert, ssl_key_file: key };
  for (const [name, value] of Object.entries(settings)) postgres.spec.args.push("-c", `${name}=${value}`);
  await supervisor.removeAfterwards(postgres.folder);
  await supervisor.run(postgres.spec);
  return `${postgres.ownerUrl}?sslmode=verify-full&sslrootcert=${encodeURIComponent(authority.file)}`;
}

async function startNats(supervisor: Supervisor, folder: string, authority: Authority): Promise<string> {
  const { cert, key } = await authority.issue("nats");
  const server = await findNatsServer(process.env, () => undefined);
  const port = await freePort();
  const { spec } = prepareNats({ server, folder: join(folder, "nats"), port, durable: false });
  const files = `cert_file: "${cert}", key_file: "${key}", ca_file: "${authority.file}"`;
  const users = `user: boxoffice, password: ${JSON.stringify(NATS_PASSWORD)}`;
  const config = join(folder, "nats", "nats-server.conf");
  appendFileSync(config, `tls { ${files}, verify: true }\nauthorization { ${users} }\n`);
  await supervisor.run(spec);
  return `tls://boxoffice:${encodeURIComponent(NATS_PASSWORD)}@127.0.0.1:${port}`;
}
