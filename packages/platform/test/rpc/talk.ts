import {
  AccessSchema,
  access,
  Caller,
  file_boxoffice_common_v1_access,
} from "@boxoffice/proto/boxoffice/common/v1/access_pb.ts";
import {
  create,
  createFileRegistry,
  type DescFile,
  type Message,
  type MessageInitShape,
  setExtension,
} from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  type DescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  type MethodDescriptorProtoSchema,
  MethodOptionsSchema,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import {
  FieldRulesSchema as FieldRules,
  type FieldRulesSchema,
  field as fieldRules,
  file_buf_validate_validate,
  Ignore,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** A service with a method of each kind, built here because the contract is no place for tests. */
export type Item = Message<"boxoffice.test.v1.Item"> & { name: string; quantity: number };

export type TalkRequest = Message<"boxoffice.test.v1.TalkRequest"> & {
  id: string;
  items: Item[];
  say: string;
  labels: { [key: string]: string };
};

export type TalkResponse = Message<"boxoffice.test.v1.TalkResponse"> & {
  said: string;
  count: number;
  payload: Uint8Array;
};

const PACKAGE = "boxoffice.test.v1";

const file = buildFile("boxoffice/test/v1/talk.proto", {
  messageType: [
    { name: "Item", field: [text("name", 1), int32("quantity", 2, { gte: 1, lte: 100 })] },
    {
      name: "TalkRequest",
      field: [
        text("id", 1, { type: { case: "string", value: { wellKnown: { case: "uuid", value: true } } } }),
        repeated("items", 2, "Item", { type: { case: "repeated", value: { maxItems: 3n } } }),
        text("say", 3),
        repeated("labels", 4, "TalkRequest.LabelsEntry"),
      ],
      nestedType: [
        { name: "LabelsEntry", options: { mapEntry: true }, field: [text("key", 1), text("value", 2)] },
      ],
    },
    {
      name: "TalkResponse",
      field: [text("said", 1), int32("count", 2), field({ name: "payload", number: 3, type: Type.BYTES })],
    },
  ],
  service: [
    {
      name: "TalkService",
      method: [
        method("Say", { caller: Caller.ANYONE }),
        method("Count", { caller: Caller.ANYONE }, { serverStreaming: true }),
        method("Sum", { caller: Caller.ANYONE }, { clientStreaming: true }),
        method("Echo", { caller: Caller.ANYONE }, { clientStreaming: true, serverStreaming: true }),
        method("Manage", { caller: Caller.OPERATOR }),
        method("Sync", { caller: Caller.SERVICE, services: ["catalog", "payment"] }),
        method("Missing", { caller: Caller.ANYONE }),
      ],
    },
    { name: "UndecidedService", method: [method("Say", undefined)] },
    { name: "NobodyService", method: [method("Say", { caller: Caller.SERVICE })] },
  ],
});

export const TalkRequestSchema = messageOf("TalkRequest") as GenMessage<TalkRequest>;
export const TalkResponseSchema = messageOf("TalkResponse") as GenMessage<TalkResponse>;

type Talk<Kind extends "unary" | "server_streaming" | "client_streaming" | "bidi_streaming"> = {
  methodKind: Kind;
  input: typeof TalkRequestSchema;
  output: typeof TalkResponseSchema;
};

export const TalkService = serviceOf("TalkService") as GenService<{
  say: Talk<"unary">;
  count: Talk<"server_streaming">;
  sum: Talk<"client_streaming">;
  echo: Talk<"bidi_streaming">;
  manage: Talk<"unary">;
  sync: Talk<"unary">;
  missing: Talk<"unary">;
}>;

/** Its method has no access option. */
const UndecidedService = serviceOf("UndecidedService");

/** Its method is for services, and names none. */
const NobodyService = serviceOf("NobodyService");

function buildFile(
  name: string,
  parts: {
    messageType: MessageInitShape<typeof DescriptorProtoSchema>[];
    service: { name: string; method: MessageInitShape<typeof MethodDescriptorProtoSchema>[] }[];
  },
): DescFile {
  const dependencies = [file_boxoffice_common_v1_access, file_buf_validate_validate];
  const dependency = dependencies.map(({ proto }) => proto.name);
  const proto = create(FileDescriptorProtoSchema, {
    name,
    package: PACKAGE,
    syntax: "proto3",
    dependency,
    ...parts,
  });
  const registry = createFileRegistry(proto, (path) => dependencies.find((one) => one.proto.name === path));
  return registry.getFile(name) ?? fail(name);
}

type Rule = MessageInitShape<typeof FieldRulesSchema>;

function text(name: string, number: number, rule?: Rule) {
  return field({ name, number, type: Type.STRING }, rule && { ...rule, ignore: Ignore.IF_ZERO_VALUE });
}

function int32(name: string, number: number, range?: { gte: number; lte: number }) {
  const value = range && {
    greaterThan: { case: "gte", value: range.gte },
    lessThan: { case: "lte", value: range.lte },
  };
  return field({ name, number, type: Type.INT32 }, value && ({ type: { case: "int32", value } } as Rule));
}

function repeated(name: string, number: number, typeName: string, rule?: Rule) {
  const type = { type: Type.MESSAGE, typeName: `.${PACKAGE}.${typeName}`, label: Label.REPEATED };
  return field({ name, number, ...type }, rule);
}

function field(init: MessageInitShape<typeof FieldDescriptorProtoSchema>, rule?: Rule): FieldDescriptorProto {
  const desc = create(FieldDescriptorProtoSchema, { label: Label.OPTIONAL, ...init } as typeof init);
  if (rule) {
    desc.options = create(FieldOptionsSchema);
    setExtension(desc.options, fieldRules, create(FieldRules, rule));
  }
  return desc;
}

function method(
  name: string,
  allowed: MessageInitShape<typeof AccessSchema> | undefined,
  streaming: { clientStreaming?: boolean; serverStreaming?: boolean } = {},
): MessageInitShape<typeof MethodDescriptorProtoSchema> {
  const options = create(MethodOptionsSchema);
  if (allowed) setExtension(options, access, create(AccessSchema, allowed));
  const types = { inputType: `.${PACKAGE}.TalkRequest`, outputType: `.${PACKAGE}.TalkResponse` };
  return { name, ...types, ...streaming, options };
}

function messageOf(name: string) {
  return file.messages.find((one) => one.name === name) ?? fail(name);
}

function serviceOf(name: string) {
  return file.services.find((one) => one.name === name) ?? fail(name);
}

function fail(name: string): never {
  throw new Error(`${name} is missing`);
}

/** Services that say nothing, or not enough, about who may call them. */
export const UNDECIDED = [UndecidedService, NobodyService];
