import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { forgetEndedStreams } from "@boxoffice/platform/rpc/ended-streams.ts";
import type { Certificate } from "./certificate.ts";
import type { Clients } from "./limits/clients.ts";
import type { PerClient } from "./limits/per-client.ts";

export type DoorOptions = {
  /** Takes requests of HTTP/1.1, and those of HTTP/2 by the same interface. */
  onRequest(request: IncomingMessage, response: ServerResponse): void;
  /** Listens with TLS where there is one. */
  certificate?: Certificate | undefined;
  clients: Clients;
  /** Connections that each client has open; a trusted proxy may have as many as it likes. */
  connections: PerClient;
  maxConnections: number;
};

/** One port for HTTP/1.1 and HTTP/2. */
export type Door = {
  /** How many connections are open. */
  readonly connections: number;
  readonly isClosing: boolean;
  /**
   * @returns the port, which the system chooses for 0
   * @throws an error that names host and port when it cannot listen there
   */
  listen(host: string, port: number): Promise<number>;
  /**
   * Goes on for a moment where it is in use, then takes no new connections, lets requests finish, and cuts off what has
   * not after `graceMs`. Calling it again waits for the same end.
   */
  close(graceMs: number): Promise<void>;
};

/** How long a connection may say nothing at its beginning, and between requests, in milliseconds. */
const FIRST_BYTES_MS = 10_000;
/** Longer than the proxies in front keep theirs, so that they never meet one closing. */
const IDLE_MS = 65_000;
/** How long a connection may neither give nor take anything while it is answered; live streams are heard of sooner. */
const STUCK_MS = 120_000;

/** What a connection may cost before its request is understood; node's own defaults are meant for big uploads. */
const HTTP1_LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  keepAliveTimeout: IDLE_MS,
  connectionsCheckingInterval: 1_000,
};

/** Streams that one session may have open. */
const MAX_STREAMS = 100;

/** Streams that are reset as soon as they are opened cost much and are worth nothing: all that are open, then few. */
const HTTP2_LIMITS = {
  settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: 16 * 1024, enablePush: false },
  maxHeaderListPairs: 128,
  maxSessionMemory: 4,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
  streamResetBurst: MAX_STREAMS,
  streamResetRate: 20,
};

/** How often connections that have become idle are closed while draining, in milliseconds. */
const DRAIN_STEP_MS = 50;

/**
 * How long a door that closes goes on as before, where it is in use: a proxy has not noticed yet that this replica is not
 * ready any more, and would lose what it sends to a connection that is closed at the same moment, or that waits to be
 * accepted. Longer than deploy/haproxy.cfg takes to notice.
 */
const NOTICE_MS = 1_500;

/** What every connection of HTTP/2 begins with; no method of HTTP/1.1 does. */
const PREFACE = Buffer.from("PRI ");

/**
 * Opens the door. A connection's first bytes, or with TLS what was agreed on, say which HTTP it speaks; it is then
 * handed to that server, so that HTTP/1.1, which proxies and most of the crowd speak, costs nothing more for it.
 */
export function openDoor(options: DoorOptions): Door {
  const http1 = createHttp1Server(HTTP1_LIMITS, options.onRequest);
  http1.timeout = STUCK_MS;
  http1.emit("listening"); // from then on it watches over the times of its connections
  const http2 = createHttp2Server(HTTP2_LIMITS, (request, response) =>
    // What was reset right behind its beginning is known to be by then, and never looked at.
    setImmediate(() => {
      if (request.stream.destroyed) return;
      options.onRequest(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    }),
  );
  forgetEndedStreams();
  const sessions = new Set<ServerHttp2Session>();
  http2.on("session", (session) => {
    sessions.add(session);
    session.setTimeout(STUCK_MS, () => session.close());
    session.once("close", () => sessions.delete(session));
  });

  const undecided = new Set<Socket>();
  const onConnection = (socket: Socket) => {
    if (!countConnection(socket, options)) return void socket.destroy();
    if ("alpnProtocol" in socket) {
      (socket.alpnProtocol === "h2" ? http2 : http1).emit("connection", socket);
    } else {
      undecided.add(socket);
      tellApart(socket, (isHttp2) => (isHttp2 ? http2 : http1).emit("connection", socket), undecided);
    }
  };
  const server = listenerFor(options.certificate, onConnection);
  server.maxConnections = options.maxConnections;

  async function drain(graceMs: number): Promise<void> {
    const limit = setTimeout(() => {
      http1.closeAllConnections();
      for (const session of sessions) session.destroy();
    }, graceMs);
    if (open > 0) await delay(Math.min(NOTICE_MS, graceMs));
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of undecided) socket.destroy();
    for (const session of sessions) session.close();
    http1.closeIdleConnections();
    const sweep = setInterval(() => http1.closeIdleConnections(), DRAIN_STEP_MS);
    await closed;
    clearInterval(sweep);
    clearTimeout(limit);
    http1.close(); // ends its watch over connections
  }

  let open = 0;
  server.on(options.certificate ? "secureConnection" : "connection", (socket: Socket) => {
    open++;
    socket.once("close", () => open--);
  });
  let closed: Promise<void> | undefined;
  return {
    get connections() {
      return open;
    },
    get isClosing() {
      return closed !== undefined;
    },
    listen: (host, port) => listen(server, host, port),
    close(graceMs) {
      closed ??= drain(graceMs);
      return closed;
    },
  };
}

function listenerFor(certificate: Certificate | undefined, onConnection: (socket: Socket) => void): Server {
  if (certificate === undefined) return createTcpServer({ noDelay: true, keepAlive: true }, onConnection);
  const server = createTlsServer(
    {
      ...certificate.files,
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: FIRST_BYTES_MS,
      minVersion: "TLSv1.2",
      noDelay: true,
      keepAlive: true,
    },
    onConnection as (socket: TLSSocket) => void,
  );
  certificate.onRenewed((files) => server.setSecureContext({ ...files, minVersion: "TLSv1.2" }));
  server.on("tlsClientError", (_, socket) => socket.destroy());
  return server;
}

/** @returns false where the client has too many already */
function countConnection(socket: Socket, { clients, connections }: DoorOptions): boolean {
  if (clients.isProxy(socket.remoteAddress)) return true;
  const leave = connections.enter(clients.of({ socket, headers: {} }));
  if (leave === undefined) return false;
  socket.once("close", leave);
  return true;
}

/** Waits for the first bytes of a connection, and puts them back. */
function tellApart(socket: Socket, decide: (isHttp2: boolean) => void, undecided: Set<Socket>): void {
  let seen = Buffer.alloc(0);
  const limit = setTimeout(() => socket.destroy(), FIRST_BYTES_MS);
  const onError = () => socket.destroy();
  const done = () => {
    clearTimeout(limit);
    undecided.delete(socket);
  };
  const onReadable = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read())
      seen = Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, PREFACE.length);
    const mayBeHttp2 = seen.subarray(0, length).equals(PREFACE.subarray(0, length));
    if (mayBeHttp2 && length < PREFACE.length) return;
    done();
    socket.off("readable", onReadable);
    socket.off("error", onError);
    socket.off("close", done);
    socket.unshift(seen);
    decide(mayBeHttp2);
  };
  socket.on("readable", onReadable);
  socket.on("error", onError);
  socket.on("close", done);
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
