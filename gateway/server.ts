import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Logger } from "@boxoffice/platform/log.ts";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { sendError } from "./answers.ts";
import { NO_STORE } from "./cache-control.ts";
import { answerCors } from "./cors.ts";
import { notFoundPage } from "./pages/not-found.ts";
import { type Page, sendPage } from "./pages/page.ts";
import { refusal } from "./refusal.ts";
import { rpcListeners } from "./rpc-door.ts";
import type { StaticFiles } from "./static.ts";

export type GatewayOptions = {
  routes: (router: ConnectRouter) => void;
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
  const listeners = rpcListeners(options.routes, options.log);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    prepare(response, options.corsOrigins.size > 0);
    const path = pathOf(request);
    if (path === undefined) return sendError(response, refusal("the request has no valid host or path"));
    if (answerCors(options.corsOrigins, request, response)) return;
    const rpc = listeners.get(path);
    if (rpc !== undefined) return rpc(request, response);
    if (path === "/livez") return sendText(response, 200, "alive");
    if (path === "/readyz")
      return options.isReady() ? sendText(response, 200, "ready") : sendText(response, 503, "not ready");
    if (isRead(request) && options.staticFiles?.answer(path, request, response)) return;
    if (path === "/" && isRead(request)) return sendPage(request, response, await options.homePage());
    sendUnknown(request, response);
  }

  const server = createServer(LIMITS, (request, response) => {
    handle(request, response).catch((error: unknown) => {
      options.log.error({ error }, "a request could not be answered");
      sendError(response, new ConnectError("internal error", Code.Internal));
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
function prepare(response: ServerResponse, isCorsConfigured: boolean): void {
  response.setHeader("cache-control", NO_STORE);
  response.setHeader("vary", isCorsConfigured ? "Accept-Encoding, Origin" : "Accept-Encoding");
  response.setHeader("x-content-type-options", "nosniff");
}

/** undefined where the host is missing or malformed, or the path is: parsing the address would throw. */
function pathOf({ url = "", headers }: IncomingMessage): string | undefined {
  const { host } = headers;
  if (!host || /[/?#@\\]/.test(host) || !URL.canParse(url, `http://${host}`)) return undefined;
  return url.split("?", 1)[0];
}

const isRead = ({ method }: IncomingMessage): boolean => method === "GET" || method === "HEAD";

/** The same for a mistyped method and for one that only services may call. */
function sendUnknown(request: IncomingMessage, response: ServerResponse): void {
  if (isRead(request) && request.headers.accept?.includes("text/html")) {
    sendPage(request, response, notFoundPage());
  } else {
    sendError(response, new ConnectError("there is nothing at this address", Code.Unimplemented), 404);
  }
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
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
