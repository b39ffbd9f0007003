import { connect, type Socket } from "node:net";
import type { Door, HostileAnswer, HostileRequest } from "./request.ts";

/** How long anybody may be kept waiting for an answer, in milliseconds, on a machine that is busy with other things. */
export const ANSWER_WITHIN_MS = 30_000;

/** More of an answer than this is not read, in bytes. */
export const ENOUGH = 256 * 1024;

/** One connection of HTTP/1.1 which writes whatever it is given, byte for byte, and reads the answers. */
export class Http1Connection {
  readonly #door: Door;
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #onChange: (() => void) | undefined;
  #end: string | undefined;

  constructor(door: Door) {
    this.#door = door;
  }

  /** Sends one request and waits for what comes of it. Never rejects. */
  async exchange(request: HostileRequest): Promise<HostileAnswer> {
    this.#open();
    this.#received = Buffer.alloc(0);
    this.#socket?.write(request.raw ?? written(request));
    if (request.leaves) {
      this.close();
      return { kind: "closed", why: "the client left" };
    }
    if (request.isBroken) this.#socket?.end(); // it waits for nothing more
    const answer = await this.#answer(request.isWatch, request.verb === "HEAD");
    if (answer.kind !== "answered" || answer.isCut || request.isBroken || mustClose(answer.headers))
      this.close();
    return answer;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): void {
    if (this.#socket !== undefined && this.#end === undefined && !this.#socket.destroyed) return;
    const socket = connect({
      port: this.#door.port,
      host: this.#door.host,
      noDelay: true,
      allowHalfOpen: true,
    });
    this.#end = undefined;
    this.#socket = socket;
    const end = (why: string) => {
      if (this.#socket !== socket) return;
      this.#end ??= why;
      this.#onChange?.();
    };
    socket.on("data", (chunk) => {
      if (this.#socket !== socket) return;
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#onChange?.();
    });
    socket.on("end", () => end("end"));
    socket.on("error", ({ message }) => end(message));
    socket.on("close", () => end("close"));
  }

  #answer(isWatch: boolean, isHead: boolean): Promise<HostileAnswer> {
    return new Promise((resolve) => {
      const done = (answer: HostileAnswer) => {
        clearTimeout(limit);
        this.#onChange = undefined;
        resolve(answer);
      };
      const limit = setTimeout(() => done({ kind: "late" }), ANSWER_WITHIN_MS);
      this.#onChange = () => {
        const answer = readAnswer(this.#received, this.#end !== undefined, isWatch, isHead);
        if (answer !== undefined) done(answer);
        else if (this.#end !== undefined) done({ kind: "closed", why: this.#end });
      };
      this.#onChange();
    });
  }
}

function written({ verb, path, headers, body }: HostileRequest): Buffer {
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.concat([Buffer.from(`${verb} ${path} HTTP/1.1\r\n${head}\r\n`, "latin1"), body]);
}

const mustClose = (headers: Record<string, string>): boolean => headers.connection === "close";

/** @returns undefined where it is not whole yet */
function readAnswer(
  received: Buffer,
  isOver: boolean,
  isWatch: boolean,
  isHead: boolean,
): HostileAnswer | undefined {
  const headEnd = received.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [first = "", ...lines] = received.toString("latin1", 0, headEnd).split("\r\n");
  const status = Number(first.split(" ")[1]);
  const rest = received.subarray(headEnd + 4);
  if (status >= 100 && status < 200) return readAnswer(rest, isOver, isWatch, isHead);
  const headers = headersOf(lines);
  const answer = (body: Buffer, isCut = false): HostileAnswer => ({
    kind: "answered",
    status,
    headers,
    body,
    trailers: {},
    isCut,
  });
  if (isHead || status === 204 || status === 304) return answer(Buffer.alloc(0));
  if (headers["transfer-encoding"] === "chunked") {
    const { body, isWhole } = dechunk(rest);
    if (isWhole) return answer(body);
    return body.length > ENOUGH || (isWatch && body.length > 0) || isOver ? answer(body, true) : undefined;
  }
  const length = Number(headers["content-length"] ?? Number.NaN);
  if (Number.isNaN(length)) return isOver ? answer(rest) : undefined;
  return rest.length >= length ? answer(rest.subarray(0, length)) : undefined;
}

function headersOf(lines: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return headers;
}

function dechunk(bytes: Buffer): { body: Buffer; isWhole: boolean } {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return { body: Buffer.concat(chunks), isWhole: false };
    const size = Number.parseInt(bytes.toString("latin1", at, lineEnd), 16);
    const end = lineEnd + 2 + size;
    if (size === 0) return { body: Buffer.concat(chunks), isWhole: true };
    if (end + 2 > bytes.length) return { body: Buffer.concat(chunks), isWhole: false };
    chunks.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}
