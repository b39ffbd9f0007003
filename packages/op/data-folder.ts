import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { privateKeyPath } from "@boxoffice/platform/auth/keys.ts";
import { readConfig, setting } from "@boxoffice/platform/config.ts";
import type { Terminal } from "./terminal.ts";

export const ROOT = resolve(import.meta.dirname, "..", "..");

/** Where the keys are, of `npm start` or of another folder that BOXOFFICE_DATA names. */
export function keysFolder(env: Terminal["env"]): string {
  const { BOXOFFICE_DATA } = readConfig({ BOXOFFICE_DATA: setting.text().default(".data") }, env);
  return join(resolve(ROOT, BOXOFFICE_DATA), "keys");
}

/**
 * The private key of a role in the data folder of `npm start` (BOXOFFICE_DATA).
 *
 * @throws an error that says where keys come from, when there is none
 */
export function privateKeyFile(role: string, env: Terminal["env"]): string {
  const file = privateKeyPath(keysFolder(env), role);
  if (existsSync(file)) return file;
  throw new Error(
    `There is no key in ${file}. "npm start" makes the keys; BOXOFFICE_DATA names their folder.`,
  );
}
