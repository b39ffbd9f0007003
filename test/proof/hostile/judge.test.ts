import { BoxofficeError, toConnectError } from "@boxoffice/platform/errors.ts";
import { toStatus } from "@boxoffice/platform/rpc/status.ts";
import { StatusSchema } from "@boxoffice/proto/google/rpc/status_pb.ts";
import { toBinary } from "@bufbuild/protobuf";
import { errorToJsonBytes } from "@connectrpc/connect/protocol-connect";
import { expect, test } from "vitest";
import { envelope } from "./envelopes.ts";
import { judge } from "./judge.ts";
import type { HostileAnswer, HostileRequest } from "./request.ts";
import { TEXTS } from "./values.ts";

const REQUEST: HostileRequest = {
  door: { name: "gateway", host: "127.0.0.1", port: 1 },
  version: 1,
  verb: "POST",
  path: "/a.b.C/D",
  headers: [],
  body: Buffer.alloc(0),
  method: undefined,
  speech: "connect",
  kind: "json",
  isRouted: true,
  hasTimeout: false,
  isWatch: false,
  isBroken: false,
  leaves: false,
};

const answered = (status: number, type: string, body: Uint8Array | string, trailers = {}): HostileAnswer => ({
  kind: "answered",
  status,
  headers: type === "" ? {} : { "content-type": type },
  body: Buffer.from(body),
  trailers,
  isCut: false,
});

const json = (status: number, body: string) => answered(status, "application/json", body);
const refused = new BoxofficeError("SOLD_OUT", "sold out");
const details = Buffer.from(toBinary(StatusSchema, toStatus(refused))).toString("base64");
const trailer = (code: number, bin = "") => envelope(0x80, Buffer.from(`grpc-status: ${code}\r\n${bin}`));

test.each<[string, HostileAnswer, Partial<HostileRequest>, string]>([
  ["an answer", json(200, "{}"), {}, "answered"],
  [
    "a refusal",
    json(400, Buffer.from(errorToJsonBytes(toConnectError(refused), {})).toString()),
    {},
    "SOLD_OUT",
  ],
  ["a method that is not there", json(404, '{"code":"unimplemented"}'), { isRouted: false }, "Unimplemented"],
  [
    "a time that the client set",
    json(504, '{"code":"deadline_exceeded"}'),
    { hasTimeout: true },
    "DeadlineExceeded",
  ],
  ["no HTTP, and no more than that said", answered(400, "", ""), { isBroken: true }, "HTTP 400"],
  [
    "a refusal in gRPC",
    answered(200, "application/grpc", "", { "grpc-status": "9", "grpc-status-details-bin": details }),
    { speech: "grpc" },
    "SOLD_OUT",
  ],
  [
    "a refusal in gRPC-Web",
    answered(200, "application/grpc-web+proto", trailer(9, `grpc-status-details-bin: ${details}\r\n`)),
    { speech: "grpc-web" },
    "SOLD_OUT",
  ],
  ["a connection that was left", { kind: "closed", why: "the client left" }, { leaves: true }, "closed"],
])("%s is fine", (_, answer, request, word) => {
  expect(judge({ ...REQUEST, ...request }, answer)).toEqual({ word, faults: [] });
});

test.each<[string, HostileAnswer, Partial<HostileRequest>, RegExp]>([
  ["no answer", { kind: "late" }, {}, /not answered in time/],
  ["a connection that was cut", { kind: "closed", why: "end" }, {}, /cut off/],
  ["a bare 500", answered(500, "", ""), {}, /bare HTTP 500/],
  ["a bare 500 for whoever speaks no HTTP", answered(500, "", ""), { isBroken: true }, /bare HTTP 500/],
  ["an error without a reason", json(500, '{"code":"internal"}'), {}, /Internal came without a reason/],
  ["a known method that is said not to be", json(404, '{"code":"unimplemented"}'), {}, /Unimplemented came/],
  ["a time that nobody set", json(504, '{"code":"deadline_exceeded"}'), {}, /DeadlineExceeded came/],
  [
    "an error in gRPC without a reason",
    answered(200, "application/grpc", "", { "grpc-status": "2" }),
    {},
    /Unknown came/,
  ],
  [
    "an error in gRPC-Web without one",
    answered(200, "application/grpc-web", trailer(13)),
    {},
    /Internal came/,
  ],
  ["gRPC without a status", answered(200, "application/grpc", ""), {}, /no grpc-status/],
  ["a stream without an end", answered(200, "application/connect+json", ""), {}, /no end of stream/],
  [
    "another protocol",
    json(400, '{"code":"internal"}'),
    { speech: "grpc-web" },
    /client of grpc-web was answered with/,
  ],
  ["a stack", json(200, '{"a":"x\\n    at f (a)"}\n    at f (b)'), {}, /tells/],
  ["a file of ours", json(200, '{"a":"handler.ts:12"}'), {}, /tells/],
  ["a database's words", json(200, '{"a":"duplicate key value violates"}'), {}, /tells/],
])("%s is not", (_, answer, request, fault) => {
  expect(judge({ ...REQUEST, ...request }, answer).faults.join("\n")).toMatch(fault);
});

test("what clients write is told from what is ours to hide", () => {
  for (const text of TEXTS)
    expect(judge(REQUEST, json(200, JSON.stringify({ name: text }))).faults).toEqual([]);
});
