import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Logger } from "@boxoffice/platform/log.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { sendError } from "./answers.ts";
import { NO_STORE } from "./cache-control.ts";
import { answerCors } from "./cors.ts";
import { Exchange, type FlatHeaders, type Listener } from "./exchange.ts";
import { notFoundPage } from "./pages/not-found.ts";
import { type Page, sendPage } from "./pages/page.ts";
import { refusal } from "./refusal.ts";
import type { StaticFiles } from "./static.ts";

export type GatewayOptions = {
  /** What answers at which path. */
  routes: ReadonlyMap<string, Listener>;
  /** Shown at `/` where there are no static files. */
  homePage: () => Promise<Page>;
  /** The built pages; undefined where there is no build. */
  staticFiles?: StaticFiles | undefined;
  /** Whether requests should be sent here now. */
  isReady: () => boolean;
  corsOrigins: ReadonlySet<string>;
  log: Logger;
};

export type GatewayServer = {
  /**
   * @returns the port, which the system chooses for 0
   * @throws an error that names host and port when it cannot listen there
   */
  listen(host: string, port: number): Promise<number>;
  /**
   * Takes no new connections, lets requests finish for at most `graceMs`, and then cuts them off. Calling it
   * again waits for the same end.
   */
  close(graceMs: number): Promise<void>;
};

/** What a connection may cost before its request is understood; node's own defaults are meant for big uploads. */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: 65_000, // longer than the proxies in front keep theirs, so that they never meet one closing
  connectionsCheckingInterval: 1000,
};

/** How often connections that have become idle are closed while draining, in milliseconds. */
const DRAIN_STEP_MS = 50;

/** The browser's door: the methods that are routed, a page for people, and probes for machines. */
export function createGatewayServer(options: GatewayOptions): GatewayServer {
  const headers = generalHeaders(options.corsOrigins.size > 0);

  async function handle(exchange: Exchange): Promise<void> {
    if (!isWellFormed(exchange.request)) {
      return sendError(exchange, refusal("the request has no valid host or path"));
    }
    if (answerCors(options.corsOrigins, exchange)) return;
    const { path } = exchange;
    const listener = options.routes.get(path);
    if (listener !== undefined) return listener(exchange);
    if (path === "/livez") return sendText(exchange, 200, "alive");
    if (path === "/readyz")
      return options.isReady() ? sendText(exchange, 200, "ready") : sendText(exchange, 503, "not ready");
    if (exchange.isRead && options.staticFiles?.answer(exchange)) return;
    if (path === "/" && exchange.isRead) return sendPage(exchange, await options.homePage());
    sendUnknown(exchange);
  }

  const server = createServer(LIMITS, (request, response) => {
    const exchange = new Exchange({ request, response, headers });
    handle(exchange).catch((error: unknown) => {
      options.log.error({ error }, "a request could not be answered");
      sendError(exchange, new ConnectError("internal error", Code.Internal));
    });
  });
  let closed: Promise<void> | undefined;
  return {
    listen: (host, port) => listen(server, host, port),
    close(graceMs) {
      closed ??= drain(server, graceMs);
      return closed;
    },
  };
}

/** What every answer says, unless more is known about it. */
function generalHeaders(isCorsConfigured: boolean): FlatHeaders {
  const vary = isCorsConfigured ? "Accept-Encoding, Origin" : "Accept-Encoding";
  return ["cache-control", NO_STORE, "vary", vary, "x-content-type-options", "nosniff"];
}

/** False where the host is missing or malformed, or the path is: parsing the address would throw. */
function isWellFormed({ url = "", headers: { host } }: IncomingMessage): boolean {
  return host !== undefined && url.startsWith("/") && !url.startsWith("//") && isHost(host);
}

function isHost(host: string): boolean {
  if (GOOD_HOSTS.has(host)) return true;
  const isGood = host !== "" && !/[/?#@\\]/.test(host) && URL.canParse(`http://${host}`);
  if (isGood && GOOD_HOSTS.size < MAX_GOOD_HOSTS) GOOD_HOSTS.add(host);
  return isGood;
}

/** Few names lead here, and parsing one costs more than looking it up. */
const GOOD_HOSTS = new Set<string>();
const MAX_GOOD_HOSTS = 100;

/** The same for a mistyped method and for one that only services may call. */
function sendUnknown(exchange: Exchange): void {
  if (exchange.isRead && exchange.header("accept")?.includes("text/html")) sendPage(exchange, notFoundPage());
  else sendError(exchange, new ConnectError("there is nothing at this address", Code.Unimplemented), 404);
}

function sendText(exchange: Exchange, status: number, text: string): void {
  exchange.send(status, ["content-type", "text/plain; charset=utf-8"], `${text}\n`);
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new Error(`cannot listen on ${host}:${port}: ${cause.message}`, { cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}

/** A connection that is kept alive has to be closed once its answer is out, or it would keep the server open. */
async function drain(server: Server, graceMs: number): Promise<void> {
  const sweep = setInterval(() => server.closeIdleConnections(), DRAIN_STEP_MS);
  const limit = setTimeout(() => server.closeAllConnections(), graceMs);
  await new Promise((resolve) => server.close(resolve));
  clearInterval(sweep);
  clearTimeout(limit);
}
