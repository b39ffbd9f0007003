import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { ANSWER_WITHIN_MS, ENOUGH } from "./http1.ts";
import type { Door, HostileAnswer, HostileRequest } from "./request.ts";

/** One connection of HTTP/2 without TLS, for several requests at a time. */
export class Http2Connection {
  readonly #door: Door;
  #session: ClientHttp2Session | undefined;

  constructor(door: Door) {
    this.#door = door;
  }

  /** Sends one request and waits for what comes of it. Never rejects. */
  async exchange(request: HostileRequest): Promise<HostileAnswer> {
    const answer = await this.#try(request);
    if (answer.kind !== "closed" || !answer.why.includes("REFUSED_STREAM")) return answer;
    // The other side has had enough of this connection, and has not looked at the request: another one is in order.
    this.close();
    return this.#try(request);
  }

  #try(request: HostileRequest): Promise<HostileAnswer> {
    const session = this.#open();
    let stream: ClientHttp2Stream;
    try {
      stream = session.request(headersOf(request), { endStream: false });
    } catch (error) {
      return Promise.resolve({
        kind: "closed",
        why: `not sent: ${error instanceof Error ? error.message : error}`,
      });
    }
    return converse(stream, request);
  }

  close(): void {
    this.#session?.destroy();
  }

  #open(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.closed && !this.#session.destroyed)
      return this.#session;
    const session = connect(`http://${this.#door.host}:${this.#door.port}`, {
      settings: { enablePush: false },
    });
    session.on("error", () => undefined); // its streams say so
    session.on("goaway", () => session.close());
    this.#session = session;
    return session;
  }
}

function headersOf({ door, verb, path, headers }: HostileRequest): OutgoingHttpHeaders {
  const all: Record<string, string | string[]> = {
    ":method": verb,
    ":path": path,
    ":authority": `${door.host}:${door.port}`,
  };
  for (const [name, value] of headers) {
    const known = all[name];
    all[name] = known === undefined || name.startsWith(":") ? value : [...[known].flat(), value];
  }
  return all;
}

function converse(stream: ClientHttp2Stream, request: HostileRequest): Promise<HostileAnswer> {
  return new Promise((resolve) => {
    let head: IncomingHttpHeaders | undefined;
    let trailers: Record<string, string> = {};
    const chunks: Buffer[] = [];
    let length = 0;
    let failure = "";
    const limit = setTimeout(() => {
      stream.close(constants.NGHTTP2_CANCEL);
      resolve({ kind: "late" });
    }, ANSWER_WITHIN_MS);
    const finish = (isCut: boolean) => {
      clearTimeout(limit);
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL); // it may still be sending
      if (head === undefined) return resolve({ kind: "closed", why: failure || `reset ${stream.rstCode}` });
      const status = Number(head[":status"]);
      resolve({
        kind: "answered",
        status,
        headers: flat(head),
        body: Buffer.concat(chunks),
        trailers,
        isCut,
      });
    };
    stream.on("response", (headers) => {
      head = headers;
    });
    stream.on("trailers", (headers) => {
      trailers = flat(headers);
    });
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > ENOUGH || request.isWatch) finish(true);
    });
    stream.on("error", ({ message }) => {
      failure = message;
    });
    stream.on("end", () => head !== undefined && finish(false));
    stream.on("close", () =>
      finish(head !== undefined && !stream.readableEnded && Object.keys(trailers).length === 0),
    );
    stream.end(request.body);
    if (request.leaves) stream.close(constants.NGHTTP2_CANCEL);
  });
}

function flat(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
