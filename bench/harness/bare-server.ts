import { spawn } from "node:child_process";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import type { BareAnswer } from "../load/bare-http.ts";

const PROGRAM = join(import.meta.dirname, "..", "load", "bare-http.ts");

/** Headers that node:http adds by itself. */
const BY_ITSELF = new Set(["date", "connection", "keep-alive"]);

export type BareServer = { url: string; end(): Promise<void> };

/** A bare node:http server, as a process of its own, that answers with the bytes that `url` answers with now. */
export async function startBareServer(url: string): Promise<BareServer> {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(await answerOf(url)));
  const [port] = await once(child.stdout.setEncoding("utf8"), "data");
  return {
    url: `http://127.0.0.1:${Number(port)}/`,
    async end() {
      const ended = once(child, "close");
      child.kill();
      await ended;
    },
  };
}

async function answerOf(url: string): Promise<BareAnswer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(url, resolve).on("error", reject);
  });
  let body = "";
  for await (const chunk of response.setEncoding("utf8")) body += chunk;
  const headers = Object.entries(response.headers).filter(([name]) => !BY_ITSELF.has(name));
  return { headers: headers.flatMap(([name, value]) => [name, String(value)]), body };
}
