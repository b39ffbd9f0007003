import { mintToken } from "@boxoffice/platform/auth/tokens.ts";
import { Command, InvalidArgumentError, Option } from "commander";
import { privateKeyFile } from "../data-folder.ts";
import type { Terminal } from "../terminal.ts";

/** Who has a key. */
export const ROLES = ["operator", "catalog", "reservation", "payment", "stats", "gateway"] as const;
export type Role = (typeof ROLES)[number];

const MAX_TTL_SECONDS = 365 * 24 * 60 * 60;

/** `token`: prints a token and nothing else, so that a script can take it. */
export function tokenCommand(terminal: Terminal): Command {
  return new Command("token")
    .description("Print a bearer token, signed with a key of the data folder (BOXOFFICE_DATA).")
    .addOption(new Option("--role <role>", "what the token proves").choices(ROLES).default("operator"))
    .option("--subject <name>", "who holds it; an audit names its holder", "operator")
    .option("--ttl <seconds>", "how long it is valid", parseTtl, 12 * 60 * 60)
    .option("--audience <service>", "the called service, where the token is a service's own")
    .action(async (options: { role: Role; subject: string; ttl: number; audience?: string }) => {
      const token = await mintToken({
        privateKeyFile: privateKeyFile(options.role, terminal.env),
        role: options.role,
        subject: options.subject,
        ttlSeconds: options.ttl,
        ...(options.audience && { audience: options.audience }),
      });
      terminal.out(`${token}\n`);
    });
}

function parseTtl(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds >= 1 && seconds <= MAX_TTL_SECONDS) return seconds;
  throw new InvalidArgumentError(`A whole number of seconds from 1 to ${MAX_TTL_SECONDS}.`);
}
