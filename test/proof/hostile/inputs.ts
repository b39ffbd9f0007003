import { gzipSync } from "node:zlib";
import { accessOf, isPublished } from "@boxoffice/platform/rpc/access.ts";
import { Caller } from "@boxoffice/proto/boxoffice/common/v1/access_pb.ts";
import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Random } from "../../faults/random.ts";
import { encodeTree, mutateBinary, mutateBytes } from "./binary.ts";
import { BOMBS, envelope, mutateEnvelope } from "./envelopes.ts";
import { mutateHeaders } from "./headers.ts";
import { mutateJson, write } from "./json.ts";
import type { Door, HostileRequest, Speech } from "./request.ts";
import { type JsonTree, type Pool, sampleMessage } from "./sample.ts";
import { hostileText } from "./values.ts";

/** A method at a door, and the ways in which one can speak to it there. */
export type Target = {
  door: Door;
  method: DescMethod;
  isGateway: boolean;
  /** What exists for those who may call it. */
  pool: Pool;
  /** The token of whoever may call it; undefined where anyone may. */
  token: string | undefined;
};

/** The protocols that a target speaks, by the name that counts go by. */
export function protocolsOf({
  method,
  isGateway,
}: Pick<Target, "method" | "isGateway">): readonly Protocol[] {
  if (!isGateway) return ["grpc"];
  if (!isRouted({ method, isGateway })) return ["json", "grpc-web", "grpc"];
  return method.methodKind === "unary"
    ? ["json", "proto", "get", "grpc-web", "grpc-web-json", "grpc"]
    : ["stream-json", "stream-proto", "grpc-web", "grpc-web-json", "grpc"];
}

export type Protocol =
  | "json"
  | "proto"
  | "get"
  | "grpc-web"
  | "grpc-web-json"
  | "stream-json"
  | "stream-proto"
  | "grpc";

/** One request to a method: a good one which was then broken, in most cases. */
export function drawRequest(
  target: Target,
  protocol: Protocol,
  random: Random,
  wrongTokens: readonly string[],
): HostileRequest {
  const { door, method, pool } = target;
  const tree = sampleMessage(method.input, pool, random);
  const request: HostileRequest = {
    door,
    version: protocol === "grpc" || random.chance(0.3) ? 2 : 1,
    verb: protocol === "get" ? "GET" : "POST",
    path: `/${method.parent.typeName}/${method.name}`,
    headers: [],
    body: Buffer.alloc(0),
    method,
    speech: speechOf(protocol, target),
    kind: `${protocol} ${method.name}`,
    isRouted: isRouted(target),
    hasTimeout: false,
    isWatch: method.methodKind === "server_streaming" && method.name.startsWith("Watch"),
    isBroken: false,
    leaves: random.chance(0.005),
  };
  const token = random.chance(0.9) ? target.token : random.pick([undefined, ...wrongTokens]);
  if (token !== undefined) request.headers.push(["authorization", `Bearer ${token}`]);
  fill(request, protocol, tree, random);
  let made = random.chance(0.12) ? mutateHeaders(request, random) : request;
  if (random.chance(0.01)) made = mutatePath(made, random);
  return finish(made, random);
}

function speechOf(protocol: Protocol, target: Target): Speech {
  if (protocol === "grpc") return target.isGateway ? "any" : "grpc";
  if (protocol === "grpc-web" || protocol === "grpc-web-json") return isRouted(target) ? "grpc-web" : "any";
  if (protocol.startsWith("stream")) return isRouted(target) ? "connect-stream" : "any";
  return "connect";
}

/** The gateway knows nothing of what is for services alone. */
function isRouted({ method, isGateway }: Pick<Target, "method" | "isGateway">): boolean {
  return !isGateway || (!isPublished(method) && accessOf(method).caller !== Caller.SERVICE);
}

const CONTENT_TYPES: Record<Exclude<Protocol, "get">, string> = {
  json: "application/json",
  proto: "application/proto",
  "grpc-web": "application/grpc-web+proto",
  "grpc-web-json": "application/grpc-web+json",
  "stream-json": "application/connect+json",
  "stream-proto": "application/connect+proto",
  grpc: "application/grpc",
};

function fill(request: HostileRequest, protocol: Protocol, tree: JsonTree, random: Random): void {
  const isJson = protocol.endsWith("json");
  if (protocol === "get") {
    fillQuery(request, tree, random);
    return;
  }
  request.headers.push(["content-type", CONTENT_TYPES[protocol]]);
  if (protocol === "grpc") request.headers.push(["te", "trailers"]);
  const message = messageOf(request, isJson, tree, random);
  if (protocol === "json" || protocol === "proto") fillUnary(request, message, random);
  else fillEnvelope(request, protocol, message, random);
}

function fillEnvelope(request: HostileRequest, protocol: Protocol, message: Buffer, random: Random): void {
  const isGood = random.chance(0.75);
  const { body, encoding } = isGood ? { body: envelope(0, message) } : mutateEnvelope(message, random);
  request.body = body;
  const header = protocol.startsWith("stream") ? "connect-content-encoding" : "grpc-encoding";
  if (encoding !== undefined) request.headers.push([header, encoding]);
}

/** A good one now and then, so that there is something to break. */
function messageOf({ method }: HostileRequest, isJson: boolean, tree: JsonTree, random: Random): Buffer {
  if (method === undefined) return Buffer.alloc(0);
  const isGood = random.chance(0.1);
  if (isJson) return isGood ? Buffer.from(write(tree)) : mutateJson(tree, random);
  return isGood ? encodeTree(method.input, tree) : mutateBinary(method.input, tree, random);
}

function fillUnary(request: HostileRequest, message: Buffer, random: Random): void {
  const way = random.int(0, 199);
  const encoding = (body: Buffer, name = "gzip") => {
    request.body = body;
    request.headers.push(["content-encoding", name]);
  };
  if (way === 0) encoding(random.pick(BOMBS));
  else if (way === 1) encoding(mutateBytes(gzipSync(message), random));
  else if (way === 2) encoding(gzipSync(message));
  else if (way === 3) encoding(message, random.pick(["gzip", "br", "deflate", "rot13"]));
  else request.body = message;
}

function fillQuery(request: HostileRequest, tree: JsonTree, random: Random): void {
  const isJson = random.chance(0.5);
  const message = messageOf(request, isJson, tree, random).subarray(0, 6_000);
  const isBase64 = !isJson || random.chance(0.3);
  const query = new URLSearchParams();
  const encoding = isJson ? "json" : "proto";
  query.set("encoding", random.chance(0.95) ? encoding : random.pick(["", "xml", "JSON"]));
  query.set(
    "message",
    isBase64 ? message.toString(random.pick(["base64", "base64url"])) : message.toString(),
  );
  if (isBase64) query.set("base64", random.chance(0.95) ? "1" : random.pick(["0", "true", ""]));
  if (random.chance(0.05)) query.set("compression", random.pick(["gzip", "br", "identity", ""]));
  if (random.chance(0.3)) query.set("connect", random.pick(["v1", "v2", ""]));
  if (random.chance(0.05))
    query.append(random.pick(["message", "encoding", "base64", "%00"]), hostileText(random).slice(0, 500));
  const text = random.chance(0.05)
    ? mutateBytes(Buffer.from(query.toString()), random).toString("latin1")
    : query.toString();
  // Longer ones are refused by the parser of HTTP, as are long headers.
  request.path += `?${text.slice(0, MAX_QUERY).replaceAll(/[^\x21-\x7e]/g, (char) => encodeURIComponent(char.toWellFormed()))}`;
  // Of a method that changes something, all that is said is that it takes no GET.
  if (request.method?.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS)
    request.kind = "get of an act";
}

function mutatePath(request: HostileRequest, random: Random): HostileRequest {
  const path = random.pick([
    request.path.toLowerCase(),
    `${request.path}/`,
    `/${request.path}`,
    request.path.slice(0, -1),
    `${request.path}%00`,
    `/..${request.path}`,
    `${request.path}?${"x".repeat(5_000)}`,
    "/boxoffice.stats.v1.StatsService/",
    "*",
    "/\u00ff",
  ]);
  const isBroken = request.isBroken || path === "*";
  return { ...request, path, isRouted: false, speech: "any", isBroken, method: undefined };
}

const MAX_QUERY = 4_000;

/** What HTTP needs besides. */
function finish(request: HostileRequest, random: Random): HostileRequest {
  const { headers, body, version, door } = request;
  if (version === 2)
    return { ...request, headers: headers.filter(([name]) => name !== "" && !name.includes(" ")) };
  const has = (name: string) => headers.some(([one]) => one === name);
  const framed: HostileRequest["headers"] = [...headers];
  if (!has("host")) framed.unshift(["host", `${door.host}:${door.port}`]);
  if (request.verb === "GET" || has("content-length") || has("transfer-encoding"))
    return { ...request, headers: framed };
  if (random.chance(0.005)) {
    const lie = Math.max(0, body.length + random.pick([-1, 1, 10, 100_000]));
    return {
      ...request,
      headers: [...framed, ["content-length", String(lie)]],
      isBroken: true,
      speech: "any",
    };
  }
  return { ...request, headers: [...framed, ["content-length", String(body.length)]] };
}
