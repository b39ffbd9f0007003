/** npm start: the whole box office on this machine, until it is told to stop. */

import { join } from "node:path";
import { type LocalConfig, readLocalConfig } from "./config.ts";
import { ensureDemo, type Showcase } from "./demo.ts";
import { createOperatorToken, operatorClients } from "./operator.ts";
import { reach } from "./services.ts";
import { Stack } from "./stack.ts";
import { ensurePages } from "./web.ts";
import { welcome } from "./welcome.ts";

const startedAt = Date.now();
const tell = (line: string) => console.log(line);
process.stdout.on("error", () => {}); // the terminal may be gone before we are

try {
  const stack = await Stack.claim(readLocalConfig(), tell);
  const stopping = stopWhenTold(stack);
  try {
    tell("Starting Boxoffice ...");
    await stack.start(() => ensurePages(tell));
    const token = await createOperatorToken(stack.keysFolder);
    const showcase = await makeDemo(stack.config, token);
    tell(welcome({ config: stack.config, token, showcase, startedInMs: Date.now() - startedAt }));
  } catch (error) {
    if (!stopping.aborted) {
      await stack.stop();
      throw error;
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

/** The box office is open without demo events too. */
async function makeDemo(config: LocalConfig, token: string): Promise<Showcase | undefined> {
  const clients = operatorClients(reach(config, "gateway"), token);
  try {
    return await ensureDemo(join(config.dataFolder, "demo.json"), clients);
  } catch (error) {
    tell(`The demo events are not complete (${error}); the next start goes on with them.`);
    return undefined;
  }
}

/** Signals may come more than once, and npm may die without passing any on: the first of all that counts. */
function stopWhenTold(stack: Stack): AbortSignal {
  const told = new AbortController();
  const stop = (why: string) => {
    if (told.signal.aborted) return;
    told.abort();
    tell(`\nStopping (${why}) ...`);
    stack.stop().then(
      () => {
        tell("Stopped.");
        process.exit(0);
      },
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop(signal));
  const launcher = Number(process.env.BOXOFFICE_LAUNCHER);
  if (launcher === process.ppid) {
    setInterval(() => {
      if (process.ppid !== launcher) stop("what started this is gone");
    }, 500).unref();
  }
  return told.signal;
}
