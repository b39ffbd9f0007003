import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Logger } from "@boxoffice/platform/log.ts";
import type { DescMethodUnary, Message } from "@bufbuild/protobuf";
import { LRUCache } from "lru-cache";
import { sendError } from "./answers.ts";
import { PUBLIC } from "./cache-control.ts";
import { type Call, DEFAULT_TIMEOUT_MS, timeIsOver } from "./call.ts";
import { chooseEncoding, type Encoding, matchesEtag } from "./content-coding.ts";
import type { Exchange, FlatHeaders, Listener } from "./exchange.ts";
import { decode, encode, type Forward } from "./forward.ts";
import { toShown } from "./shown-error.ts";
import { type Codec, fromQuery } from "./unary.ts";

/** An answer is asked for anew when it has reached this part of its age, while the old one is still given. */
const REFRESH_FROM = 0.5;

/** Shorter answers are sent as they are, in bytes. */
const COMPRESS_FROM_BYTES = 1024;

/** Good, and fast enough to be done once for each change. */
const BROTLI_QUALITY = 4;

const MAX_ANSWERS = 5_000;
const MAX_URL_LENGTH = 2_048;

export type SharedRead = {
  method: DescMethodUnary;
  /** How old an answer may be, in milliseconds: right by itself, whoever does or does not tell of changes. */
  maxAgeMs: number;
  ask: Forward;
  /** Answers what is not shared: a POST, an operator's request, a request that is malformed. */
  otherwise: Listener;
};

/**
 * Answers that everybody shares, asked for by GET and by nobody in particular: kept for moments, asked for once
 * however many wait, compressed once, and answered with 304 where they are known. A million readers cost the
 * services a few calls a second.
 */
export class SharedReads {
  readonly #answers = new LRUCache<string, Answer>({ max: MAX_ANSWERS });
  readonly #news = new LRUCache<string, News>({ max: MAX_ANSWERS });
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** What is kept about this event is out of date. */
  invalidate(eventId: string): void {
    const news = this.#news.get(eventId);
    if (news !== undefined) news.atMs = performance.now();
  }

  /** Whether somebody has asked for this before, so that asking again costs the services next to nothing. */
  isKnown({ isRead, request: { url = "", headers } }: Exchange): boolean {
    return isRead && headers.authorization === undefined && this.#answers.has(url);
  }

  listener(read: SharedRead): Listener {
    return (exchange) => {
      const { request } = exchange;
      if (!exchange.isRead || request.headers.authorization !== undefined) return read.otherwise(exchange);
      const { url = "" } = request;
      const answer = this.#answers.get(url) ?? this.#open(url, exchange, read);
      if (answer === undefined) return read.otherwise(exchange);
      const nowMs = performance.now();
      if (answer.isGood(nowMs)) {
        answer.refreshInTime(nowMs);
        return answer.send(exchange);
      }
      return this.#sendLater(answer, exchange, read.method);
    };
  }

  /** @returns undefined where the request is malformed: whoever answers all others explains it */
  #open(url: string, exchange: Exchange, read: SharedRead): Answer | undefined {
    if (url.length > MAX_URL_LENGTH) return undefined;
    const parsed = parse(exchange, read.method);
    if (parsed === undefined) return undefined;
    const eventId = "eventId" in parsed.message ? String(parsed.message.eventId).toLowerCase() : "";
    const news = this.#news.get(eventId) ?? { atMs: 0 };
    this.#news.set(eventId, news);
    const answer = new Answer({ ...read, ...parsed, news });
    this.#answers.set(url, answer);
    return answer;
  }

  async #sendLater(answer: Answer, exchange: Exchange, method: DescMethodUnary): Promise<void> {
    try {
      await within(answer.load(), timeoutOf(exchange));
      if (!exchange.isGone) answer.send(exchange);
    } catch (error) {
      if (!exchange.isGone) sendError(exchange, toShown(error, method, this.#log, exchange.requestId));
    }
  }
}

/** When something last changed, by this process's clock. */
type News = { atMs: number };

type AnswerOptions = SharedRead & { message: Message; codec: Codec; news: News };

type Variant = { headers: FlatHeaders; etag: string; body: Buffer };

/** One answer as it is now, in every form in which somebody has asked for it. */
class Answer {
  readonly #options: AnswerOptions;
  #plain = Buffer.alloc(0);
  #variants = new Map<Encoding, Variant>();
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(options: AnswerOptions) {
    this.#options = options;
  }

  /** Its age counts from when it was asked for: a change after that may not be in it. */
  isGood(nowMs: number): boolean {
    const { maxAgeMs, news } = this.#options;
    return nowMs - this.#askedAtMs < maxAgeMs && news.atMs < this.#askedAtMs;
  }

  /** So that, while many ask, nobody waits. */
  refreshInTime(nowMs: number): void {
    if (nowMs - this.#askedAtMs < this.#options.maxAgeMs * REFRESH_FROM) return;
    this.load().catch(() => undefined); // whoever asks when this one is too old hears why
  }

  /** Asks the service, together with everybody who waits for this answer. */
  load(): Promise<void> {
    this.#loading ??= this.#ask().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  send(exchange: Exchange): void {
    const { headers, etag, body } = this.#variant(chooseEncoding(exchange.header("accept-encoding")));
    if (matchesEtag(exchange.header("if-none-match"), etag)) exchange.send(304, headers.slice(0, -2));
    else exchange.send(200, headers, body);
  }

  async #ask(): Promise<void> {
    const { method, message, codec, ask } = this.#options;
    const askedAtMs = performance.now();
    const answer = Buffer.from(encode(method.output, await ask(message, NOBODYS_CALL), codec));
    this.#askedAtMs = askedAtMs;
    if (answer.equals(this.#plain) && this.#variants.size > 0) return;
    this.#plain = answer;
    this.#variants = new Map();
  }

  #variant(wanted: Encoding): Variant {
    const encoding = this.#plain.length < COMPRESS_FROM_BYTES ? "identity" : wanted;
    const known = this.#variants.get(encoding);
    if (known !== undefined) return known;
    const { method, codec } = this.#options;
    const body = compress(this.#plain, encoding);
    const hash = createHash("sha1").update(this.#plain).digest("base64url");
    const etag = encoding === "identity" ? `"${hash}"` : `"${hash}-${encoding}"`;
    const headers = [
      ["content-type", codec === "json" ? "application/json" : "application/proto"],
      ["cache-control", PUBLIC.get(method) ?? ""],
      ["etag", etag],
      ...(encoding === "identity" ? [] : [["content-encoding", encoding]]),
      ["content-length", String(body.length)], // last: 304 leaves it out
    ].flat();
    const variant = { headers, etag, body };
    this.#variants.set(encoding, variant);
    return variant;
  }
}

function compress(body: Buffer, encoding: Encoding): Buffer {
  if (encoding === "gzip") return gzipSync(body);
  if (encoding === "identity") return body;
  return brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } });
}

function parse(exchange: Exchange, method: DescMethodUnary): { message: Message; codec: Codec } | undefined {
  const sent = fromQuery(exchange.query);
  if (sent === undefined || sent.compression !== "identity" || timeoutOf(exchange) === undefined)
    return undefined;
  try {
    return { message: decode(method.input, sent.bytes(), sent.codec), codec: sent.codec };
  } catch {
    return undefined;
  }
}

/** The client's time in milliseconds; undefined where it says none that is one. */
function timeoutOf(exchange: Exchange): number | undefined {
  const given = exchange.header("connect-timeout-ms");
  if (given === undefined) return DEFAULT_TIMEOUT_MS;
  return /^\d{1,10}$/.test(given) ? Math.min(Number(given), DEFAULT_TIMEOUT_MS) : undefined;
}

/** Those who wait for the same answer have times of their own. */
async function within(loading: Promise<void>, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<void> {
  const late = Promise.withResolvers<never>();
  const limit = setTimeout(() => late.reject(timeIsOver()), timeoutMs);
  try {
    await Promise.race([loading, late.promise]);
  } finally {
    clearTimeout(limit);
  }
}

/** Asked for everybody: one who hangs up does not end it. */
const NOBODYS_CALL: Call = {
  authorization: undefined,
  traceparent: undefined,
  timeLeftMs: DEFAULT_TIMEOUT_MS,
  isGone: false,
  signal: new AbortController().signal,
};
