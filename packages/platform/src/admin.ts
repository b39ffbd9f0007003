import { createServer, type Server } from "node:http";
import { collectDefaultMetrics, Gauge, type Registry, register } from "prom-client";

export type AdminOptions = {
  host: string;
  port: number;
  /** Whether requests should be sent here now. */
  isReady(): boolean;
  registry?: Registry;
};

export type AdminServer = { port: number; close(): Promise<void> };

/**
 * A process's door for those who operate it: `/metrics` for Prometheus, `/livez` (the process runs),
 * `/readyz` (it can serve).
 *
 * @throws an error that names host and port when it cannot listen there
 */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const { host, port, isReady, registry = register } = options;
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: "boxoffice_ready",
    help: "Whether the process can do its work: 1 or 0.",
    registers: [registry],
    collect() {
      this.set(isReady() ? 1 : 0);
    },
  });
  const server = createServer((request, response) => {
    const say = (status: number, text: string) => {
      response.writeHead(status, {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
      });
      response.end(`${text}\n`);
    };
    if (request.url === "/livez") say(200, "alive");
    else if (request.url === "/readyz") isReady() ? say(200, "ready") : say(503, "not ready");
    else if (request.url === "/metrics") {
      registry.metrics().then(
        (text) => response.writeHead(200, { "content-type": registry.contentType }).end(text),
        () => say(500, "the metrics cannot be read"),
      );
    } else say(404, "There is /metrics, /livez and /readyz.");
  });
  server.requestTimeout = 10_000;
  server.maxConnections = 100;
  await listen(server, host, port);
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new Error(`cannot listen on ${host}:${port}: ${cause.message}`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}
