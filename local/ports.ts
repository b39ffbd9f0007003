import { createServer } from "node:net";

/** What was given away and may not be listened on yet: the system may well name such a port again. */
const given = new Set<number>();

const ATTEMPTS = 100;

/** A port of 127.0.0.1 that nothing listens on. This process is given each port only once. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const port = await unusedPort();
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
  throw new Error("there is no free port left");
}

function unusedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** Whether a process could listen on this port. */
export function isFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** A port that will be listened on, with the variable that moves it. */
export type NamedPort = { variable: string; port: number; host: string };

/** @throws Error that names each port that is taken, and the variable that moves it */
export async function refuseTakenPorts(ports: NamedPort[]): Promise<void> {
  const free = await Promise.all(ports.map(({ port, host }) => isFree(port, host)));
  const taken = ports.filter((_, index) => !free[index]);
  if (taken.length === 0) return;
  const sentences = taken.map(
    ({ variable, port }) => `Port ${port} is taken: free it, or set ${variable} to another one.`,
  );
  throw new Error(sentences.join("\n"));
}
