import { resolve } from "node:path";
import { Command } from "commander";
import { ensureSecrets } from "../compose-secrets.ts";
import { ROOT } from "../data-folder.ts";
import type { Terminal } from "../terminal.ts";

/** `secrets`: what docker-compose.yml asks for. */
export function secretsCommand(terminal: Terminal): Command {
  return new Command("secrets")
    .description("Make the passwords and keys that docker-compose.yml needs. What is there already is kept.")
    .option("--folder <path>", "where, from the checkout's root", ".")
    .addHelpText("after", HELP)
    .action(async ({ folder }: { folder: string }) => {
      const { made, owner } = await ensureSecrets(resolve(ROOT, folder));
      const what = made.length === 0 ? "Everything is there already" : `Made ${made.join(", ")}`;
      terminal.out(`${what}. The processes will run as user ${owner.uid}, who alone can read them.\n`);
    });
}

const HELP = `
They are in secrets/, which git and the image leave out, and .env says as which user the processes run: the one who may
read them. Keep a copy of the folder where you keep the backups of the database: without token_hmac_key, payments that are
repeated look like other payments. The payment company's key goes into secrets/provider_api_key, and its address
into PROVIDER_URL.

With the box office in containers, "BOXOFFICE_DATA=secrets npm run op -- …" shows a token made with its keys.`;
