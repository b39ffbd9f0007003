import { REASONS, type Reason } from "@boxoffice/platform/errors.ts";
import { ErrorInfoSchema } from "@boxoffice/proto/google/rpc/error_details_pb.ts";
import { StatusSchema } from "@boxoffice/proto/google/rpc/status_pb.ts";
import { fromBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { HostileAnswer, HostileRequest } from "./request.ts";

/** What an answer came to: a word for counting, and what is wrong with it. */
export type Verdict = { word: string; faults: string[] };

/** A stack, a database's words, a place on a disk, or an address inside: nobody's business outside. */
const LEAK =
  /\n\s+at |\bat \S+ \(|\.[cm]?[jt]s:\d+|node_modules|node:internal|file:\/\/|\/(?:tmp|home|usr|root|app|work)\/|(?:Type|Range|Reference|Syntax)Error|Cannot read prop|is not a function|Unexpected (?:token|end of|non-whitespace)|ERR_[A-Z]|E(?:CONN|PIPE|NOENT|ACCES)|SQLSTATE|PostgreSQL|postgres|pg_catalog|syntax error at|violates|duplicate key|deadlock detected|relation "|column "|null value in|invalid byte sequence|invalid input syntax|out of range for type|JetStream|nats:|grpc-js|127\.0\.0\.1/;

/** Reasons that nothing here would excuse: no limit is set, and nothing is broken. */
const NEVER: readonly string[] = ["DEPENDENCY_UNAVAILABLE", "RATE_LIMITED"];

/** What node's own parser of HTTP says by itself, to those who speak none. */
const PARSER_STATUS = [400, 408, 413, 414, 417, 431, 501, 505];

/** Judges one answer by nothing but what was asked and what came back. */
export function judge(request: HostileRequest, answer: HostileAnswer): Verdict {
  if (answer.kind === "late") return { word: "late", faults: ["it was not answered in time"] };
  if (answer.kind === "closed") {
    const isOwed = !request.isBroken && !request.leaves && !answer.why.startsWith("not sent");
    return { word: "closed", faults: isOwed ? [`it was cut off without an answer (${answer.why})`] : [] };
  }
  const faults: string[] = [];
  const leak = LEAK.exec(textOf(answer));
  if (leak !== null) faults.push(`the answer tells "${leak[0].trim()}"`);
  const failure = failureOf(answer);
  if (typeof failure === "string")
    return { word: failure, faults: [...faults, ...statusFaults(request, answer, failure)] };
  faults.push(...errorFaults(request, failure), ...speechFaults(request, answer));
  return { word: failure.reason ?? Code[failure.code] ?? String(failure.code), faults };
}

type Answered = Extract<HostileAnswer, { kind: "answered" }>;

/** A failure as one of our protocols tells it. */
type Failure = { code: number; reason?: string; domain?: string };

/** @returns a word where it is no failure in any of our protocols */
function failureOf(answer: Answered): Failure | string {
  const { status, headers, body, trailers, isCut } = answer;
  const type = headers["content-type"] ?? "";
  if (type.startsWith("application/grpc")) {
    const told = grpcStatusOf(headers, trailers, body);
    if (told === undefined) return isCut ? "answered" : "no grpc-status";
    return told.code === 0 ? "answered" : told;
  }
  if (type.startsWith("application/connect+"))
    return endOfStream(body) ?? (isCut ? "answered" : "no end of stream");
  if (status === 200 || status === 204 || status === 304) return "answered";
  if (type === "application/json") return connectError(body) ?? `HTTP ${status}`;
  return `HTTP ${status}`;
}

/** Where HTTP alone speaks. */
function statusFaults(request: HostileRequest, { status, headers }: Answered, word: string): string[] {
  if (word === "answered") return [];
  if (word.startsWith("no ")) return [`the answer has ${word}`];
  if (request.isBroken && PARSER_STATUS.includes(status)) return [];
  if (request.speech === "any" && (PARSER_STATUS.includes(status) || status === 415)) return [];
  const isPage =
    request.method === undefined && (request.verb === "HEAD" || !headers["content-type"]?.includes("json"));
  if (isPage && status >= 400 && status < 500) return [];
  return [`it was answered with a bare ${word}`];
}

function errorFaults(request: HostileRequest, { code, reason, domain }: Failure): string[] {
  if (reason !== undefined) {
    if (domain !== "boxoffice" || !(reason in REASONS)) return [`${reason} of ${domain} is not declared`];
    if (REASONS[reason as Reason] !== code) return [`${reason} came with code ${Code[code]}`];
    return NEVER.includes(reason) ? [`it was answered with ${reason}`] : [];
  }
  if (code === Code.Unimplemented && !request.isRouted) return [];
  // Interfaces that others published have codes of their own: for a service that is not known, a method that is none of ours.
  const isPublished = request.method?.parent.typeName.startsWith("grpc.") ?? false;
  if (isPublished && (code === Code.NotFound || code === Code.Unimplemented)) return [];
  if (code === Code.DeadlineExceeded && request.hasTimeout) return [];
  return [`${Code[code] ?? code} came without a reason`];
}

/** Whoever speaks a protocol well enough is answered in it. */
function speechFaults({ speech }: HostileRequest, { headers }: Answered): string[] {
  const type = headers["content-type"] ?? "";
  const expected = {
    connect: "application/json",
    "connect-stream": "application/connect+",
    "grpc-web": "application/grpc-web",
    grpc: "application/grpc",
    any: "",
  };
  return type.startsWith(expected[speech])
    ? []
    : [`a client of ${speech} was answered with ${type || "no type"}`];
}

function connectError(body: Buffer): Failure | undefined {
  try {
    return failureFromJson(JSON.parse(body.toString()));
  } catch {
    return undefined;
  }
}

type ErrorJson = { code?: string; details?: { type: string; value?: string }[] };

function failureFromJson({ code = "", details = [] }: ErrorJson): Failure | undefined {
  const number = CODES.get(code);
  if (number === undefined) return undefined;
  const info = details.find(({ type }) => type === ErrorInfoSchema.typeName);
  return { code: number, ...(info && infoOf(Buffer.from(info.value ?? "", "base64"))) };
}

const CODES = new Map(
  Object.entries(Code)
    .filter((entry): entry is [string, Code] => typeof entry[1] === "number")
    .map(([name, code]) => [name.replace(/(?<!^)[A-Z]/g, "_$&").toLowerCase(), code]),
);

/** The failure that the last envelope tells of, "answered", or undefined where there is no last one. */
function endOfStream(body: Buffer): Failure | "answered" | undefined {
  for (const { flags, data } of envelopesIn(body)) {
    if ((flags & 2) === 0) continue;
    const { error } = JSON.parse(data.toString()) as { error?: ErrorJson };
    return error === undefined ? "answered" : failureFromJson(error);
  }
  return undefined;
}

function grpcStatusOf(
  headers: Record<string, string>,
  trailers: Record<string, string>,
  body: Buffer,
): Failure | undefined {
  const own = [trailers, headers].find((one) => one["grpc-status"] !== undefined) ?? trailerIn(body);
  const code = own?.["grpc-status"];
  if (code === undefined) return undefined;
  const details = own?.["grpc-status-details-bin"];
  if (details === undefined) return { code: Number(code) };
  const any = fromBinary(StatusSchema, Buffer.from(details, "base64")).details.find(({ typeUrl }) =>
    typeUrl.endsWith(ErrorInfoSchema.typeName),
  );
  return { code: Number(code), ...(any && infoOf(any.value)) };
}

function infoOf(bytes: Uint8Array): { reason: string; domain: string } {
  const { reason, domain } = fromBinary(ErrorInfoSchema, bytes);
  return { reason, domain };
}

/** gRPC-Web's trailer, which stands in the body. */
function trailerIn(body: Buffer): Record<string, string> | undefined {
  for (const { flags, data } of envelopesIn(body)) {
    if ((flags & 0x80) === 0) continue;
    const lines = data
      .toString("latin1")
      .split("\r\n")
      .filter((line) => line !== "");
    return Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.slice(line.indexOf(":") + 1).trim(),
      ]),
    );
  }
  return undefined;
}

function* envelopesIn(body: Buffer): Iterable<{ flags: number; data: Buffer }> {
  for (let at = 0; at + 5 <= body.length; ) {
    const length = body.readUInt32BE(at + 1);
    yield { flags: body[at] ?? 0, data: body.subarray(at + 5, at + 5 + length) };
    at += 5 + length;
  }
}

/** All that a client can read, in headers and trailers too. */
function textOf({ headers, body, trailers }: Answered): string {
  const message = decodeURIComponentSafely(trailers["grpc-message"] ?? headers["grpc-message"] ?? "");
  const details = Buffer.from(
    trailers["grpc-status-details-bin"] ?? headers["grpc-status-details-bin"] ?? "",
    "base64",
  );
  return `${body.toString("latin1", 0, 64 * 1024)}${message}${details.toString("latin1")}${Object.values(headers).join("\n")}`;
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
