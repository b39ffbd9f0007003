import {
  create,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  type Message,
  ScalarType,
  toBinary,
} from "@bufbuild/protobuf";
import { type ReflectList, reflect } from "@bufbuild/protobuf/reflect";
import type { Random } from "../../faults/random.ts";
import type { JsonTree } from "./sample.ts";
import { edgeInt32, edgeInt64, hostileText, MILLION } from "./values.ts";

/** The message in protobuf's binary format. */
export function encodeTree(desc: DescMessage, tree: JsonTree): Buffer {
  return Buffer.from(toBinary(desc, messageOf(desc, tree)));
}

/** The same with something wrong in it: in what it says, in how it is written, or both. */
export function mutateBinary(desc: DescMessage, tree: JsonTree, random: Random): Buffer {
  const message = messageOf(desc, tree);
  const way = random.int(0, 99);
  if (way < 55) setSomewhere(desc, message, random);
  const bytes = Buffer.from(toBinary(desc, message));
  return way < 45 ? bytes : mutateBytes(bytes, random);
}

/** Breaks bytes that are, or are not, a message. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.int(0, bytes.length);
  const insert = (...extra: Uint8Array[]) =>
    Buffer.concat([bytes.subarray(0, at), ...extra, bytes.subarray(at)]);
  switch (random.int(0, 12)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return flip(bytes, random);
    case 2:
      return insert(Buffer.from(Array.from({ length: random.int(1, 8) }, () => random.int(0, 255))));
    case 3:
      return insert(Buffer.alloc(random.pick([9, 10, 11, 40]), 0xff)); // a varint that never ends
    case 4:
      return Buffer.concat([bytes, bytes]);
    case 5:
      return Buffer.concat([bytes, ...unknownField(random)]);
    case 6:
      return Buffer.concat([
        Buffer.alloc(random.pick([1, 99, 101, 20_000]), random.pick([0x0b, 0x13, 0x7b])),
        bytes,
      ]);
    case 7:
      return insert(
        Buffer.from(random.pick([[0x00], [0x07], [0x06], [0x0c], [0xf8, 0xff, 0xff, 0xff, 0x0f, 1]])),
      );
    case 8:
      return insert(Buffer.from([0x0a]), varint(random.pick([127, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1])));
    case 9:
      return insert(
        Buffer.from([0x0a, 4]),
        Buffer.from(
          random.pick([
            [0xff, 0xfe, 0xfd, 0xfc],
            [0xed, 0xa0, 0x80, 0x41],
            [0xc0, 0x80, 0xe2, 0x28],
          ]),
        ),
      );
    case 10:
      return nested(bytes, random.pick([50, 101, 3_000]));
    case 11:
      return Buffer.from(Array.from({ length: random.int(0, 64) }, () => random.int(0, 255)));
    default:
      return Buffer.from(bytes.map((byte, index) => (index === at ? byte ^ 0x07 : byte))); // another wire type
  }
}

function messageOf(desc: DescMessage, tree: JsonTree): Message {
  try {
    return fromJson(desc, tree as JsonValue, { ignoreUnknownFields: true });
  } catch {
    return create(desc); // what the sample could not know, such as the shape of a type of its own
  }
}

/** Sets some field, at any depth, to a value that its type allows. */
function setSomewhere(desc: DescMessage, message: Message, random: Random): void {
  if (desc.fields.length === 0) return;
  const target = reflect(desc, message, false);
  const field = random.pick(desc.fields);
  if (field.fieldKind === "message") {
    if (!target.isSet(field)) target.set(field, reflect(field.message, undefined, false));
    setSomewhere(field.message, target.get(field).message, random);
  } else if (field.fieldKind === "list") fillList(field, target.get(field), random);
  else if (field.fieldKind !== "map") target.set(field, edgeValue(field, random) as never);
}

function fillList(field: DescField & { fieldKind: "list" }, list: ReflectList, random: Random): void {
  const first = list.get(0) as { message: Message } | undefined;
  if (field.listKind === "message" && first !== undefined) {
    setSomewhere(field.message, first.message, random);
    return;
  }
  const value = field.listKind === "message" ? undefined : edgeValue(field, random);
  const isLong = typeof value === "string" && value.length > 1_000;
  for (let count = isLong ? 1 : random.pick([1, 21, 600]); count > 0; count--) {
    list.add(field.listKind === "message" ? reflect(field.message, undefined, false) : value);
  }
}

function edgeValue(field: DescField, random: Random): unknown {
  if (field.enum !== undefined) return random.pick([-1, 0, 1, 99, 2 ** 31 - 1]);
  switch (field.scalar) {
    case ScalarType.STRING:
      return random.chance(0.001) ? "x".repeat(MILLION) : hostileText(random).toWellFormed();
    case ScalarType.BOOL:
      return random.chance(0.5);
    case ScalarType.BYTES:
      return Buffer.alloc(random.pick([0, 1, 1_000]), 0xff);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return edgeInt64(random);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return BigInt.asUintN(64, edgeInt64(random));
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return edgeInt32(random) >>> 0;
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return random.pick([0, -0, Number.NaN, Number.POSITIVE_INFINITY, 5e-324]);
    default:
      return edgeInt32(random);
  }
}

function flip(bytes: Buffer, random: Random): Buffer {
  const flipped = Buffer.from(bytes);
  for (let count = random.int(1, 4); count > 0 && flipped.length > 0; count--) {
    const at = random.int(0, flipped.length - 1);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << random.int(0, 7));
  }
  return flipped;
}

/** A field that no message has, in each way in which a field can be written. */
function unknownField(random: Random): Buffer[] {
  const number = random.pick([500, 19_000, 536_870_911, 536_870_912]);
  switch (random.int(0, 3)) {
    case 0:
      return [varint(number * 8), Buffer.alloc(9, 0xff), Buffer.from([1])];
    case 1:
      return [varint(number * 8 + 1), Buffer.alloc(random.pick([8, 3]))];
    case 2:
      return [varint(number * 8 + 2), varint(50_000), Buffer.alloc(random.pick([50_000, 10]), 0x41)];
    default:
      return [varint(number * 8 + 5), Buffer.alloc(4)];
  }
}

/** The bytes as the first field of a message that is the first field of another one, and so on. */
function nested(bytes: Buffer, levels: number): Buffer {
  const heads: Buffer[] = [];
  let length = Math.min(bytes.length, 100);
  for (let level = 0; level < levels; level++) {
    const head = Buffer.concat([Buffer.from([0x0a]), varint(length)]);
    heads.push(head);
    length += head.length;
  }
  return Buffer.concat([...heads.reverse(), bytes.subarray(0, 100)]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
