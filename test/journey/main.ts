/**
 * The whole journey against a box office that runs:
 *
 *   node test/journey/main.ts [address] [operator token]
 *
 * Without arguments it takes the one that `npm start` runs here. HOLD_SECONDS says how long its holds are valid.
 */
import { execFileSync } from "node:child_process";
import { runJourney } from "./journey.ts";

const [address = "http://127.0.0.1:8080", token = mintToken()] = process.argv.slice(2);
const startedAt = Date.now();
try {
  const holdSeconds = Number(process.env.HOLD_SECONDS || 900);
  await runJourney({ address, token, holdSeconds, tell: (line) => console.log(line) });
  console.log(`The whole journey went well (${((Date.now() - startedAt) / 1000).toFixed(1)} s).`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

function mintToken(): string {
  return execFileSync("npm", ["run", "--silent", "token"], { encoding: "utf8" }).trim();
}
