import {
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  type FileRegistry,
  getOption,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import {
  type FieldRules,
  field as fieldRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { commentsOf } from "./comments.ts";
import { access, Caller } from "./gen/boxoffice/common/v1/access_pb.ts";

type Json = { [key: string]: unknown };

const TITLE = "Boxoffice";
const ABOUT = `Tickets: what is on and what is left, holds, payments, and for operators the rest.

Each method is a POST of JSON to its path; no special headers are needed. Those without side effects may also be asked for
by GET, with \`encoding=json&message=\` and the URL-encoded JSON, and are then cacheable. Streams speak the Connect protocol.
An error is JSON too, with \`code\`, \`message\` and \`details\`; its \`reason\` says what to do. \`docs/frontend.md\` tells the
whole journey.`;

/**
 * Describes the JSON API as OpenAPI 3.1: every method that the gateway routes, which is every one that is not for
 * services alone, with the comments and the rules of the contract.
 *
 * @param registry files with source info, for the comments
 */
export function describeApi(registry: FileRegistry): Json {
  const schemas = new Map<string, Json>();
  const paths: Json = {};
  for (const service of servicesOf(registry)) {
    for (const method of service.methods) {
      if (isForServices(method)) continue;
      paths[`/${service.typeName}/${method.name}`] = describeMethod(method, schemas);
    }
  }
  const sorted = [...schemas].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    openapi: "3.1.0",
    info: { title: TITLE, version: "1", description: ABOUT },
    paths,
    components: {
      schemas: { ...Object.fromEntries(sorted), Error: ERROR },
      responses: {
        Error: { description: "A refusal.", content: json({ $ref: "#/components/schemas/Error" }) },
      },
      securitySchemes: { operator: { type: "http", scheme: "bearer", bearerFormat: "JWT" } },
    },
  };
}

function servicesOf(registry: FileRegistry): DescService[] {
  return [...registry.files]
    .filter(({ name }) => name.startsWith("boxoffice/"))
    .flatMap(({ services }) => services)
    .sort((a, b) => (a.typeName < b.typeName ? -1 : 1));
}

const isForServices = (method: DescMethod): boolean =>
  !hasOption(method, access) || getOption(method, access).caller === Caller.SERVICE;

function describeMethod(method: DescMethod, schemas: Map<string, Json>): Json {
  const isStream = method.methodKind !== "unary";
  const isOperators = getOption(method, access).caller === Caller.OPERATOR;
  const body = (message: DescMessage) => {
    const schema = refTo(message, schemas);
    return isStream ? { "application/connect+json": { schema } } : json(schema);
  };
  const common = {
    tags: [method.parent.name],
    description: commentsOf(method) + (isStream ? "\n\nA stream, by the Connect protocol." : ""),
    ...(isOperators && { security: [{ operator: [] }] }),
    responses: {
      200: {
        description: isStream ? "Messages, each in its envelope." : "Done.",
        content: body(method.output),
      },
      default: { $ref: "#/components/responses/Error" },
    },
  };
  const post = {
    operationId: `${method.parent.name}_${method.name}`,
    ...common,
    requestBody: { required: true, content: body(method.input) },
  };
  const isRead = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
  return isRead ? { post, get: describeGet(method, common, schemas) } : { post };
}

function describeGet(method: DescMethod, common: Json, schemas: Map<string, Json>): Json {
  return {
    operationId: `${method.parent.name}_${method.name}_get`,
    ...common,
    parameters: [
      { name: "encoding", in: "query", required: true, schema: { type: "string", enum: ["json"] } },
      { name: "message", in: "query", required: true, content: json(refTo(method.input, schemas)) },
    ],
  };
}

/** Published types that JSON writes in a form of their own. */
const WELL_KNOWN: Readonly<Record<string, Json>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]+)?s$", examples: ["899.500s"] },
  "google.protobuf.FieldMask": { type: "string", examples: ["name,startsAt"] },
};

function refTo(message: DescMessage, schemas: Map<string, Json>): Json {
  const known = WELL_KNOWN[message.typeName];
  if (known !== undefined) return known;
  const name = message.typeName.replace(/^boxoffice\.(\w+)\.v1\./, "$1.");
  if (!schemas.has(name)) {
    schemas.set(name, {}); // it may hold itself
    const properties = message.fields.map((field) => [field.jsonName, describeField(field, schemas)]);
    schemas.set(name, {
      type: "object",
      ...described(commentsOf(message)),
      properties: Object.fromEntries(properties),
    });
  }
  return { $ref: `#/components/schemas/${name}` };
}

function describeField(field: DescField, schemas: Map<string, Json>): Json {
  const rules = hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
  const about = described(commentsOf(field));
  if (field.fieldKind === "list") {
    const items = describeValue(field.enum ?? field.message ?? field.scalar, rules, schemas);
    const list = rules?.type.case === "repeated" ? rules.type.value : undefined;
    return {
      type: "array",
      items,
      ...about,
      ...limit("minItems", list?.minItems),
      ...limit("maxItems", list?.maxItems),
    };
  }
  if (field.fieldKind === "map") return { type: "object", ...about };
  const type = field.fieldKind === "scalar" ? field.scalar : (field.message ?? field.enum);
  return { ...describeValue(type, rules, schemas), ...about };
}

function describeValue(
  type: ScalarType | DescEnum | DescMessage | undefined,
  rules: FieldRules | undefined,
  schemas: Map<string, Json>,
): Json {
  if (typeof type === "object") {
    return type.kind === "enum"
      ? { type: "string", enum: type.values.map(({ name }) => name) }
      : refTo(type, schemas);
  }
  switch (type) {
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.STRING:
      return { type: "string", ...textRules(rules) };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: "number" };
    case ScalarType.INT64:
    case ScalarType.UINT64:
      return { type: "string", format: "int64", pattern: "^-?[0-9]+$" }; // JavaScript's numbers would not hold it
    default:
      return { type: "integer", format: "int32", ...numberRules(rules) };
  }
}

function textRules(rules: FieldRules | undefined): Json {
  if (rules?.type.case !== "string") return {};
  const { minLen, maxLen, wellKnown } = rules.type.value;
  const format = wellKnown.case === "uuid" || wellKnown.case === "email" ? { format: wellKnown.case } : {};
  return { ...format, ...limit("minLength", minLen), ...limit("maxLength", maxLen) };
}

function numberRules(rules: FieldRules | undefined): Json {
  if (rules?.type.case !== "int32") return {};
  const { greaterThan, lessThan } = rules.type.value;
  return {
    ...(greaterThan.case === "gte" && { minimum: greaterThan.value }),
    ...(lessThan.case === "lte" && { maximum: lessThan.value }),
  };
}

const limit = (name: string, value: bigint | undefined): Json =>
  value === undefined || value === 0n ? {} : { [name]: Number(value) };

const described = (description: string): Json => (description === "" ? {} : { description });

const json = (schema: Json): Json => ({ "application/json": { schema } });

/** Connect's error, with what this product puts into it. */
const ERROR: Json = {
  type: "object",
  description: "Why a call was refused.",
  properties: {
    code: { type: "string", examples: ["failed_precondition"] },
    message: { type: "string", description: "For the person who reads it." },
    details: {
      type: "array",
      items: {
        type: "object",
        properties: {
          type: { type: "string", examples: ["google.rpc.ErrorInfo"] },
          value: { type: "string", description: "The detail in protobuf's binary format, in base64." },
          debug: { type: "object", description: "The same in readable form, such as reason and metadata." },
        },
      },
    },
  },
};
