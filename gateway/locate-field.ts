import type { FieldViolation } from "@boxoffice/platform/errors.ts";
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
} from "@bufbuild/protobuf";

const MAX_DESCRIPTION_LENGTH = 200;

/**
 * The first field of a JSON request that cannot be read as what the contract says it is, for example
 * `items[0].quantity`. Decoding alone tells the innermost field's type, not where it stands.
 *
 * @returns undefined where every field can be read
 */
export function locateField(desc: DescMessage, json: JsonValue): FieldViolation | undefined {
  if (!isObject(json)) return undefined;
  for (const [key, value] of Object.entries(json)) {
    const field = desc.fields.find(({ jsonName, name }) => jsonName === key || name === key);
    if (field === undefined) continue;
    const description = whyUnreadable(desc, { [key]: value });
    if (description !== undefined)
      return within(desc, key, field, value) ?? { field: field.name, description };
  }
  return undefined;
}

/** Looks on inside the value of a field that cannot be read. */
function within(
  parent: DescMessage,
  key: string,
  field: DescField,
  value: JsonValue,
): FieldViolation | undefined {
  if (field.fieldKind === "message") return under(field.name, locateField(field.message, value));
  if (field.fieldKind !== "list" || !Array.isArray(value)) return undefined;
  for (const [index, item] of value.entries()) {
    const description = whyUnreadable(parent, { [key]: [item] });
    if (description === undefined) continue;
    const path = `${field.name}[${index}]`;
    const inner = field.listKind === "message" ? under(path, locateField(field.message, item)) : undefined;
    return inner ?? { field: path, description };
  }
  return undefined;
}

function under(path: string, found: FieldViolation | undefined): FieldViolation | undefined {
  return found && { field: `${path}.${found.field}`, description: found.description };
}

function whyUnreadable(desc: DescMessage, json: JsonObject): string | undefined {
  try {
    fromJson(desc, json, { ignoreUnknownFields: true });
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : "cannot be read";
    return message.replace(/^.* from JSON: /, "").slice(0, MAX_DESCRIPTION_LENGTH);
  }
}

function isObject(json: JsonValue): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
