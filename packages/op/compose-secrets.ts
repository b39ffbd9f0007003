import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { ensureKeys, separateKeys } from "@boxoffice/platform/auth/keys.ts";
import { ROLES } from "./commands/token.ts";

const SERVICES = ["catalog", "reservation", "payment", "stats"] as const;

/** As whom the processes run where root makes the secrets: the image's own user. */
const NOT_ROOT = { uid: 1000, gid: 1000 };

export type Owner = { uid: number; gid: number };

/**
 * Sees to it that a folder has what docker-compose.yml asks for: `secrets/` and `.env`. Nothing that is there is
 * written again.
 *
 * @returns the names of what was made, and who owns it
 */
export async function ensureSecrets(folder: string): Promise<{ made: string[]; owner: Owner }> {
  const made: string[] = [];
  const owner = process.getuid?.() ? { uid: process.getuid(), gid: process.getgid?.() ?? 0 } : NOT_ROOT;
  const secrets = join(folder, "secrets");
  mkdirSync(secrets, { recursive: true, mode: 0o700 });
  chmodSync(secrets, 0o700); // nobody else gets past it, whatever the modes of the files
  const secret = (name: string, content: () => string, mode = 0o600): string => {
    const file = join(secrets, name);
    if (!existsSync(file)) {
      writeFileSync(file, content(), { mode });
      chmodSync(file, mode);
      made.push(name);
    }
    return readFileSync(file, "utf8");
  };
  // PostgreSQL and NATS run as users of their own images.
  const ownerPassword = secret("postgres_password", newPassword, 0o644);
  secret("database_url", () => databaseUrl("boxoffice", ownerPassword));
  for (const service of SERVICES)
    secret(`${service}_database_url`, () => databaseUrl(`boxoffice_${service}`, newPassword()));
  const natsUrl = secret("nats_url", () => `nats://boxoffice:${newPassword()}@nats:4222`);
  const { username, password } = new URL(natsUrl);
  secret("nats_auth", () => `authorization { user: "${username}", password: "${password}" }\n`, 0o644);
  secret("token_hmac_key", newPassword);
  secret("provider_api_key", () => "");

  const keys = join(secrets, "keys");
  if (!existsSync(keys)) made.push("keys");
  await separateKeys(keys, ROLES);
  await ensureKeys(keys, ROLES);
  giveTo(owner, secrets);

  const settings = join(folder, ".env");
  if (!existsSync(settings)) {
    writeFileSync(settings, `BOXOFFICE_UID=${owner.uid}\nBOXOFFICE_GID=${owner.gid}\n`);
    made.push(basename(settings));
  }
  return { made, owner };
}

const databaseUrl = (user: string, password: string): string =>
  `postgresql://${user}:${password}@postgres:5432/boxoffice`;

/** URL-safe, 192 bits. */
const newPassword = (): string => randomBytes(24).toString("base64url");

function giveTo({ uid, gid }: Owner, folder: string): void {
  if (process.getuid?.() !== 0) return;
  chownSync(folder, uid, gid);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) giveTo({ uid, gid }, path);
    else chownSync(path, uid, gid);
  }
}
