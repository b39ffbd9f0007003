import { createServer } from "node:net";
import { type LocalConfig, portVariables } from "./config.ts";

/** A port of 127.0.0.1 that nothing listens on. */
export function freePort(): Promise<number> {
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

/** @throws Error that names each port that is taken, and the variable that moves it */
export async function refuseTakenPorts(
  config: Pick<LocalConfig, "ports" | "adminPorts" | "listenHost">,
): Promise<void> {
  const taken = await Promise.all(
    portVariables(config).map(async ({ name, port }) => {
      const host = name.endsWith("_ADMIN_PORT") ? "127.0.0.1" : config.listenHost;
      return (await isFree(port, host))
        ? []
        : [`Port ${port} is taken: free it, or set ${name} to another one.`];
    }),
  );
  if (taken.flat().length > 0) throw new Error(taken.flat().join("\n"));
}
