import type { DescMessage, Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect, type ScalarValue } from "@bufbuild/protobuf/reflect";

/**
 * The field of a message that holds a string with U+0000, which PostgreSQL cannot store: `items[0].name`.
 * Undefined where there is none, which is found out without looking at the descriptor: this runs on every call.
 */
export function findNul(desc: DescMessage, message: Message): string | undefined {
  return holdsNul(message) ? (nulIn(reflect(desc, message, false)) ?? "") : undefined;
}

function holdsNul(value: object): boolean {
  // Keys are names of fields, or those of a map, which are the caller's.
  for (const [key, part] of Object.entries(value)) {
    if (key.includes("\0")) return true;
    if (typeof part === "string" ? part.includes("\0") : isContainer(part) && holdsNul(part)) return true;
  }
  return false;
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null && !ArrayBuffer.isView(value);
}

function nulIn(message: ReflectMessage): string | undefined {
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    for (const [path, value] of valuesOf(message, field)) {
      if (typeof value === "string" && value.includes("\0")) return path;
      const within = isMessage(value) ? nulIn(value) : undefined;
      if (within !== undefined) return `${path}.${within}`;
    }
  }
  return undefined;
}

type Value = ScalarValue | ReflectMessage;

function* valuesOf(
  message: ReflectMessage,
  field: ReflectMessage["fields"][number],
): Iterable<[string, Value]> {
  switch (field.fieldKind) {
    case "list":
      for (const [index, item] of message.get(field).entries())
        yield [`${field.name}[${index}]`, item as Value];
      return;
    case "map":
      for (const [key, value] of message.get(field)) {
        if (typeof key === "string") yield [field.name, key];
        yield [`${field.name}[${JSON.stringify(key)}]`, value as Value];
      }
      return;
    default:
      yield [field.name, message.get(field) as Value];
  }
}

const isMessage = (value: Value): value is ReflectMessage => typeof value === "object" && "desc" in value;
