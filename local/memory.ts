import { randomBytes } from "node:crypto";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SERVICES, type Service } from "./config.ts";
import { freePort, isFree } from "./ports.ts";

/** What is made up at the first start and must stay the same: the data folder remembers it. */
export type Memory = {
  /** Ports of what is embedded. They move when something else took them. */
  postgresPort: number;
  natsPort: number;
  ownerPassword: string;
  rolePasswords: Record<Service, string>;
};

/** Reads what the data folder remembers, and makes up what is missing. Only its owner may read the file. */
export async function recall(dataFolder: string): Promise<Memory> {
  const file = join(dataFolder, "stack.json");
  const known = read(file);
  const passwords = SERVICES.map((service) => [service, known.rolePasswords?.[service] ?? newPassword()]);
  const memory: Memory = {
    postgresPort: await portOnce(known.postgresPort),
    natsPort: await portOnce(known.natsPort),
    ownerPassword: known.ownerPassword ?? newPassword(),
    rolePasswords: Object.fromEntries(passwords) as Record<Service, string>,
  };
  // Under another name first, so that a power cut leaves the old file or the new one.
  writeFileSync(`${file}.new`, `${JSON.stringify(memory, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return memory;
}

async function portOnce(known: number | undefined): Promise<number> {
  return known !== undefined && (await isFree(known)) ? known : await freePort();
}

function read(file: string): Partial<Memory> {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return {};
  }
  try {
    return JSON.parse(text) as Partial<Memory>;
  } catch (cause) {
    throw new Error(`${file} is damaged; it holds the passwords of the databases in this folder.`, { cause });
  }
}

/** URL-safe, 192 bits. */
function newPassword(): string {
  return randomBytes(24).toString("base64url");
}
