import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { access } from "@boxoffice/proto/boxoffice/common/v1/access_pb.ts";
import { ServerReflection as V1 } from "@boxoffice/proto/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as V1Alpha } from "@boxoffice/proto/grpc/reflection/v1alpha/reflection_pb.ts";
import { fromBinary, getExtension, hasExtension, type MessageShape } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { expect, test } from "vitest";
import { createRpcClient } from "../../src/rpc/client.ts";
import { startTalk, type Talk } from "./harness.ts";

const VERSIONS = [
  ["v1", V1],
  ["v1alpha", V1Alpha],
] as const;

type Answer = MessageShape<typeof V1.method.serverReflectionInfo.output>["messageResponse"];
type Question = { case: string; value: unknown };

/** What reflection of one version answers to each question, in their order. */
async function ask(talk: Talk, version: typeof V1 | typeof V1Alpha, ...questions: Question[]) {
  const client = createRpcClient(version as typeof V1, talk.transport);
  async function* requests() {
    for (const messageRequest of questions) yield { messageRequest: messageRequest as never };
  }
  const answers: Answer[] = [];
  for await (const { messageResponse } of client.serverReflectionInfo(requests()))
    answers.push(messageResponse);
  return answers;
}

test.each(VERSIONS)("%s lists services and finds files by whatever they declare", async (_, version) => {
  await using talk = await startTalk({});
  const [list, ...files] = await ask(
    talk,
    version,
    { case: "listServices", value: "" },
    { case: "fileByFilename", value: "boxoffice/test/v1/talk.proto" },
    ...[
      "boxoffice.test.v1.TalkService",
      "boxoffice.test.v1.TalkService.Say",
      "boxoffice.test.v1.TalkRequest",
      "boxoffice.test.v1.TalkRequest.items",
      "boxoffice.common.v1.CALLER_ANYONE",
      "boxoffice.common.v1.access",
      "google.protobuf.FieldDescriptorProto.Type",
      "google.rpc.ErrorInfo",
    ].map((value) => ({ case: "fileContainingSymbol", value })),
    {
      case: "fileContainingExtension",
      value: { containingType: "google.protobuf.MethodOptions", extensionNumber: 50100 },
    },
  );
  expect(list?.case === "listServicesResponse" && list.value.service.map(({ name }) => name)).toEqual([
    "boxoffice.test.v1.TalkService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
  ]);
  for (const file of files) expect(file?.case).toBe("fileDescriptorResponse");
});

test.each(VERSIONS)("%s says what it does not know", async (_, version) => {
  await using talk = await startTalk({});
  const extensionOfNothing = { containingType: "google.protobuf.MethodOptions", extensionNumber: 1 };
  const answers = await ask(
    talk,
    version,
    { case: "fileByFilename", value: "nothing.proto" },
    { case: "fileContainingSymbol", value: "nothing" },
    { case: "fileContainingExtension", value: extensionOfNothing },
    { case: "allExtensionNumbersOfType", value: "nothing" },
  );
  const codes = answers.map((answer) => answer.case === "errorResponse" && answer.value.errorCode);
  expect(codes).toEqual([5, 5, 5, 5]);
});

test("a file comes with its imports and its custom options", async () => {
  await using talk = await startTalk({});
  const [answer, extensions] = await ask(
    talk,
    V1,
    { case: "fileContainingSymbol", value: "boxoffice.test.v1.TalkService" },
    { case: "allExtensionNumbersOfType", value: "google.protobuf.MethodOptions" },
  );
  if (answer?.case !== "fileDescriptorResponse") throw new Error("no file");
  const files = answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
  expect(files.map(({ name }) => name).sort()).toEqual([
    "boxoffice/common/v1/access.proto",
    "boxoffice/test/v1/talk.proto",
    "buf/validate/validate.proto",
    "google/protobuf/descriptor.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/timestamp.proto",
  ]);
  const talkFile = files.find(({ name }) => name.endsWith("talk.proto"));
  const sync = talkFile?.service[0]?.method.find(({ name }) => name === "Sync");
  expect(sync?.options && getExtension(sync.options, access).services).toEqual(["catalog", "payment"]);
  const quantity = talkFile?.messageType[0]?.field[1];
  expect(quantity?.options && hasExtension(quantity.options, fieldRules)).toBe(true);
  expect(extensions?.case === "allExtensionNumbersResponse" && extensions.value.extensionNumber).toEqual([
    50100,
  ]);
});

test("buf curl calls methods of every kind without a proto file", async () => {
  await using talk = await startTalk({
    say: ({ say }) => ({ said: say }),
    async *count() {
      for (const count of [1, 2]) yield { count };
    },
  });
  const run = promisify(execFile);
  const curl = async (method: string, body: string) => {
    const url = `http://${talk.address}/boxoffice.test.v1.TalkService/${method}`;
    const args = ["curl", "--protocol", "grpc", "--http2-prior-knowledge", "-d", body, url];
    return run("buf", args).then(
      ({ stdout }) => stdout,
      ({ stderr }) => String(stderr),
    );
  };
  expect(JSON.parse(await curl("Say", '{"say": "hello"}'))).toEqual({ said: "hello" });
  const counts = (await curl("Count", "{}")).matchAll(/"count": (\d+)/g);
  expect(Array.from(counts, ([, count]) => count)).toEqual(["1", "2"]);
  const refused = await curl("Say", '{"id": "42"}');
  expect(refused).toContain("id: must be a valid UUID");
  expect(refused).toContain("google.rpc.ErrorInfo");
});
