import { setTimeout as delay } from "node:timers/promises";
import { ensureKeys, rotateKey } from "@boxoffice/platform/auth/keys.ts";
import { Argument, Command } from "commander";
import { keysFolder, privateKeyFile } from "../data-folder.ts";
import type { Terminal } from "../terminal.ts";
import { ROLES, type Role } from "./token.ts";

/** Whoever verifies tokens looks at the public file every second. */
const SETTLE_MS = 3_000;

/** `keys`: what signs tokens, renewed while the box office sells. */
export function keysCommand(terminal: Terminal): Command {
  return new Command("keys")
    .description("Renew the keys that sign tokens, in the data folder (BOXOFFICE_DATA), without a restart.")
    .addCommand(rotateCommand(terminal))
    .addCommand(retireCommand(terminal));
}

function rotateCommand(terminal: Terminal): Command {
  return new Command("rotate")
    .description("Give a role a new key. Tokens by the old one stay good until `keys retire`.")
    .addArgument(new Argument("<role>", "whose").choices(ROLES))
    .action(async (role: Role) => {
      privateKeyFile(role, terminal.env); // says where keys come from, where there is none
      await rotateKey(keysFolder(terminal.env), role, () => delay(SETTLE_MS));
      terminal.out(
        `${role} signs with a new key. Once no token by the old one is in use, after an hour for a service: keys retire ${role}\n`,
      );
    });
}

function retireCommand(terminal: Terminal): Command {
  return new Command("retire")
    .description("Let no token count that another key than the role's present one signed.")
    .addArgument(new Argument("<role>", "whose").choices(ROLES))
    .action(async (role: Role) => {
      privateKeyFile(role, terminal.env);
      await ensureKeys(keysFolder(terminal.env), [role]);
      terminal.out(`Only the present key of ${role} counts.\n`);
    });
}
