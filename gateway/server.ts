import type { IncomingMessage } from "node:http";
import type { Logger } from "@boxoffice/platform/log.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { type AccessLogChoice, createAccessLog } from "./access-log.ts";
import { sendError } from "./answers.ts";
import { API_DESCRIPTION_PATH, openApiDescription } from "./api-description.ts";
import { NO_STORE } from "./cache-control.ts";
import type { Certificate } from "./certificate.ts";
import { answerCors } from "./cors.ts";
import { type Door, openDoor } from "./door.ts";
import { Exchange, type FlatHeaders, type Listener } from "./exchange.ts";
import type { Clients } from "./limits/clients.ts";
import type { PerClient } from "./limits/per-client.ts";
import { noteRequest } from "./metrics.ts";
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
  clients: Clients;
  /** Connections that each client has open. */
  connections: PerClient;
  maxConnections: number;
  /** Listens with TLS where there is one. */
  certificate?: Certificate | undefined;
  accessLog: AccessLogChoice;
  log: Logger;
};

/** The browser's door: the methods that are routed, a page for people, and probes for machines. */
export function createGatewayServer(options: GatewayOptions): Door {
  const headers = generalHeaders(options);
  const describeApi = openApiDescription();
  const writeAccessLog = createAccessLog(options.accessLog, options.clients, options.log);

  async function handle(exchange: Exchange): Promise<void> {
    if (!isWellFormed(exchange.request)) {
      return sendError(exchange, refusal("the request has no valid host or path"));
    }
    if (answerCors(options.corsOrigins, exchange)) return;
    const { path } = exchange;
    const listener = options.routes.get(path);
    if (listener !== undefined) {
      exchange.route = path;
      return listener(exchange);
    }
    if (path === "/livez") return sendText(exchange, 200, "alive");
    if (path === "/readyz")
      return options.isReady() ? sendText(exchange, 200, "ready") : sendText(exchange, 503, "not ready");
    if (exchange.isRead && path === API_DESCRIPTION_PATH) return describeApi(exchange);
    if (exchange.isRead && options.staticFiles?.answer(exchange)) return;
    if (path === "/" && exchange.isRead) return sendPage(exchange, await options.homePage());
    sendUnknown(exchange);
  }

  const door = openDoor({
    ...options,
    onRequest(request, response) {
      const startedAtMs = performance.now();
      const onAnswered = (answered: Exchange, status: number) => {
        const durationMs = performance.now() - startedAtMs;
        noteRequest(answered.route, status, durationMs / 1_000);
        writeAccessLog(answered, status, durationMs);
      };
      const exchange = new Exchange({ request, response, headers, onAnswered });
      if (door.isClosing && !exchange.isHttp2) exchange.add("connection", "close");
      handle(exchange).catch((error: unknown) => {
        options.log.error({ error, requestId: exchange.requestId }, "a request could not be answered");
        sendError(exchange, new ConnectError("internal error", Code.Internal));
      });
    },
  });
  return door;
}

/** What every answer says, unless more is known about it. */
function generalHeaders({ corsOrigins, certificate }: GatewayOptions): FlatHeaders {
  const vary = corsOrigins.size > 0 ? "Accept-Encoding, Origin" : "Accept-Encoding";
  const headers = ["cache-control", NO_STORE, "vary", vary, "x-content-type-options", "nosniff"];
  if (certificate !== undefined) headers.push("strict-transport-security", "max-age=31536000");
  return headers;
}

/** False where the host is missing or malformed, or the path is: parsing the address would throw. */
function isWellFormed({ url = "", headers }: IncomingMessage): boolean {
  const host = headers.host ?? headers[":authority"]?.toString();
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
