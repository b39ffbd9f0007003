import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";

/** What a method's listener does: it answers, whatever the request holds, and never rejects. */
export type Listener = (exchange: Exchange) => Promise<void> | void;

/** Names and values in turn, as node:http takes them fastest. */
export type FlatHeaders = readonly string[];

export type ExchangeOptions = {
  request: IncomingMessage;
  response: ServerResponse;
  /** What every answer says, unless more is known about it. */
  headers: FlatHeaders;
  /** Called when the answer is written, or, of a stream, when it has ended. */
  onAnswered?: (exchange: Exchange, status: number) => void;
};

/** Names requests so that a client and the log mean the same. */
const PROCESS_NAME = randomBytes(6).toString("base64url");
let requests = 0;

/** One request and the one answer to it, over HTTP/1.1 or HTTP/2. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The path of the request, without its query. */
  readonly path: string;
  readonly isHttp2: boolean;
  /** What was asked for, for logs and metrics: one of few words, never what a client wrote. */
  route = "other";
  readonly #onAnswered: ExchangeOptions["onAnswered"];
  #headers: FlatHeaders;
  #requestId: string | undefined;
  #gone: AbortController | undefined;

  constructor({ request, response, headers, onAnswered }: ExchangeOptions) {
    this.request = request;
    this.response = response;
    this.isHttp2 = request.httpVersionMajor === 2;
    const { url = "" } = request;
    const queryAt = url.indexOf("?");
    this.path = queryAt < 0 ? url : url.slice(0, queryAt);
    this.#headers = headers;
    this.#onAnswered = onAnswered;
  }

  /** The client's own `X-Request-Id`, where it looks like one, or one of ours. Every answer carries it. */
  get requestId(): string {
    if (this.#requestId === undefined) {
      const given = this.request.headers["x-request-id"];
      const isGood = typeof given === "string" && /^[\w.-]{1,64}$/.test(given);
      this.#requestId = isGood ? given : `${PROCESS_NAME}-${(requests++).toString(36)}`;
    }
    return this.#requestId;
  }

  /** The query, without its question mark. */
  get query(): string {
    return this.request.url?.slice(this.path.length + 1) ?? "";
  }

  /** A request's header. Of one that came twice, node:http joins the values. */
  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return typeof value === "object" ? value.join(", ") : value;
  }

  /** Whether it asks for something without changing anything. */
  get isRead(): boolean {
    return this.request.method === "GET" || this.request.method === "HEAD";
  }

  /** Aborts when the client goes before it has its answer. */
  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      const gone = new AbortController();
      this.#gone = gone;
      if (this.isGone) gone.abort();
      this.response.once("close", () => {
        if (!this.response.writableEnded) gone.abort();
      });
    }
    return this.#gone.signal;
  }

  /** Whether the client went before it had its answer. */
  get isGone(): boolean {
    const { response } = this;
    if (response.writableEnded) return false;
    return this.isHttp2 ? (response as unknown as Http2ServerResponse).stream.destroyed : response.destroyed;
  }

  get isAnswered(): boolean {
    return this.response.headersSent;
  }

  /** Says more with whatever the answer will be. */
  add(...headers: string[]): void {
    this.#headers = [...this.#headers, ...headers];
  }

  /**
   * Answers. What is said here replaces what was to be said anyway.
   *
   * @param isAscii whether a text is known to hold nothing else, which is faster to send
   */
  send(status: number, headers: FlatHeaders, body?: Uint8Array | string, isAscii = false): void {
    this.#writeHead(status, headers);
    if (this.request.method === "HEAD") this.response.end();
    else this.response.end(body, isAscii ? "latin1" : "utf8");
    this.#onAnswered?.(this, status);
  }

  /** Begins an answer whose body follows. */
  open(status: number, headers: FlatHeaders): ServerResponse {
    this.#writeHead(status, headers);
    this.response.once("close", () => this.#onAnswered?.(this, status));
    return this.response;
  }

  #writeHead(status: number, headers: FlatHeaders): void {
    const merged = merge(this.#headers, headers);
    merged.push("x-request-id", this.requestId);
    this.response.writeHead(status, merged);
  }
}

function merge(general: FlatHeaders, own: FlatHeaders): string[] {
  const merged = [...own];
  for (let index = 0; index < general.length; index += 2) {
    const name = general[index] ?? "";
    if (!has(own, name)) merged.push(name, general[index + 1] ?? "");
  }
  return merged;
}

function has(headers: FlatHeaders, name: string): boolean {
  for (let index = 0; index < headers.length; index += 2) if (headers[index] === name) return true;
  return false;
}
