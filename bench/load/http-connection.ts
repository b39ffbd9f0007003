import { type Connection, LOST, type OnAnswer, type PreparedStep, Wire } from "./connection.ts";
import type { Step } from "./spec.ts";
import { Template } from "./template.ts";

const HEAD_END = "\r\n\r\n";
const CHUNKS_END = "\r\n0\r\n\r\n";
const MAX_REFUSAL = 80;

/** HTTP/1.1 with keep-alive over a bare socket, one request at a time. */
export class HttpConnection implements Connection {
  readonly #wire = new Wire();
  readonly #host: string;
  readonly #port: number;
  readonly #onLost: () => void;
  #onAnswer: OnAnswer | undefined;
  #rest: Buffer = Buffer.alloc(0);

  constructor(host: string, port: number, onLost: () => void) {
    this.#host = host;
    this.#port = port;
    this.#onLost = onLost;
  }

  open(): Promise<void> {
    this.#rest = Buffer.alloc(0);
    return this.#wire.open(
      this.#host,
      this.#port,
      (chunk) => this.#read(chunk),
      () => this.#end(),
    );
  }

  send({ head, template }: PreparedStep, reservationId: string | undefined, onAnswer: OnAnswer): void {
    this.#onAnswer = onAnswer;
    const { buffer, at } = this.#wire.reserve(head.length + template.length);
    head.copy(buffer, at);
    template.write(buffer, at + head.length, reservationId);
  }

  flush(): void {
    this.#wire.flush();
  }

  close(): void {
    this.#wire.close();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const answer = readAnswer(bytes);
    this.#rest = answer === undefined ? bytes : Buffer.alloc(0);
    const onAnswer = this.#onAnswer;
    if (answer === undefined || onAnswer === undefined) return;
    this.#onAnswer = undefined;
    if (answer.status === 200) onAnswer(undefined, answer.body);
    else onAnswer(`${answer.status} ${reasonOf(answer.body)}`);
    this.flush();
  }

  #end(): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    this.#onLost();
    onAnswer?.(LOST);
  }
}

export function prepareHttp(step: Step, host: string, port: number): PreparedStep {
  const template = new Template(step);
  const lines = [
    `${step.method} ${step.path} HTTP/1.1`,
    `Host: ${host}:${port}`,
    ...Object.entries(step.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    ...(step.method === "GET"
      ? []
      : ["Content-Type: application/json", `Content-Length: ${template.length}`]),
  ];
  return { head: Buffer.from(lines.join("\r\n") + HEAD_END), template };
}

/** The answer that `bytes` holds, if it holds all of it. Chunks are left as they are. */
export function readAnswer(bytes: Buffer): { status: number; body: Buffer } | undefined {
  const headEnd = bytes.indexOf(HEAD_END);
  if (headEnd < 0) return undefined;
  const head = bytes.toString("latin1", 0, headEnd);
  const status = Number(head.slice(9, 12));
  const bodyAt = headEnd + HEAD_END.length;
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) {
    const isWhole = bytes.indexOf(CHUNKS_END, headEnd) >= 0;
    return isWhole ? { status, body: bytes.subarray(bodyAt) } : undefined;
  }
  const end = bodyAt + Number(length);
  return bytes.length < end ? undefined : { status, body: bytes.subarray(bodyAt, end) };
}

/** Boxoffice's reason for a no, or Connect's code, or how the answer begins. */
function reasonOf(body: Buffer): string {
  const text = body.toString();
  return (
    /"reason": *"([A-Z_]+)"/.exec(text)?.[1] ??
    /"code": *"([a-z_]+)"/.exec(text)?.[1] ??
    text.slice(0, MAX_REFUSAL)
  );
}
