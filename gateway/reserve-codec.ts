/**
 * Reserve's request from JSON to protobuf, and its response back, without a message object in between. The library
 * that does this for every message costs four times as much, and no call comes as often when a sale opens. Whatever is
 * not quite ordinary is left to the library: a test compares the two.
 */
import { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";

/**
 * The request in binary.
 *
 * @param json the request as JSON
 * @returns undefined for anything but the plainest request, right or wrong
 */
export function encodeReserveRequest(json: string): Buffer | undefined {
  const wish = parse(json);
  if (!isObject(wish)) return undefined;
  const { eventId, items, requestId = "", ...more } = wish;
  if (!isPlain(eventId) || !isPlain(requestId) || !Array.isArray(items) || !isEmpty(more)) return undefined;
  let quotes = "requestId" in wish ? 10 : 6;
  const writer = new Writer(MAX_FIELD * (2 + 2 * items.length));
  writer.text(1, eventId);
  for (const item of items as unknown[]) {
    if (!isObject(item)) return undefined;
    const { ticketTypeId, quantity, ...moreOfItem } = item;
    if (!isPlain(ticketTypeId) || !isQuantity(quantity) || !isEmpty(moreOfItem)) return undefined;
    const sizeAt = writer.open(2);
    writer.text(1, ticketTypeId);
    writer.number(2, quantity);
    if (!writer.close(sizeAt)) return undefined;
    quotes += 6;
  }
  writer.text(4, requestId);
  // Another number of quotes means a key that comes twice, which the library refuses, or an escape.
  return countQuotes(json) === quotes ? writer.bytes() : undefined;
}

/**
 * The response as JSON.
 *
 * @param bytes of a ReserveResponse
 * @returns undefined where it holds anything that is not known here
 */
export function decodeReserveResponse({ buffer, byteOffset, byteLength }: Uint8Array): string | undefined {
  const reader = new Reader(Buffer.from(buffer, byteOffset, byteLength));
  if (reader.byte() !== tag(1, DELIMITED)) return undefined;
  const reservation = readReservation(reader.message());
  return reader.isAtEnd && reservation !== undefined ? `{"reservation":${reservation}}` : undefined;
}

const VARINT = 0;
const DELIMITED = 2;
const tag = (no: number, type: number): number => (no << 3) | type;

/** What a field of this request takes at most, in bytes. */
const MAX_FIELD = 130;
const MAX_TEXT = 100;

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Printable ASCII that no JSON would escape. */
const isPlain = (value: unknown): value is string =>
  typeof value === "string" && value.length <= MAX_TEXT && /^[ !#-[\]-~]*$/.test(value);

const isQuantity = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value > 0 && value <= 10_000_000;

function isEmpty(object: object): boolean {
  for (const _ in object) return false;
  return true;
}

function countQuotes(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at >= 0; at = text.indexOf('"', at + 1)) count++;
  return count;
}

class Writer {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(size: number) {
    this.#buffer = Buffer.allocUnsafe(size);
  }

  /** At most {@link MAX_TEXT} characters of ASCII. */
  text(no: number, value: string): void {
    if (value === "") return;
    this.#buffer[this.#at++] = tag(no, DELIMITED);
    this.#buffer[this.#at++] = value.length;
    this.#at += this.#buffer.write(value, this.#at, "latin1");
  }

  number(no: number, value: number): void {
    this.#buffer[this.#at++] = tag(no, VARINT);
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
    this.#buffer[this.#at++] = rest;
  }

  /** Begins a message. @returns what {@link close} needs */
  open(no: number): number {
    this.#buffer[this.#at++] = tag(no, DELIMITED);
    return this.#at++;
  }

  /** @returns false where the message is longer than one byte can say */
  close(sizeAt: number): boolean {
    const size = this.#at - sizeAt - 1;
    this.#buffer[sizeAt] = size;
    return size < 0x80;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at);
  }
}

/** Reads a message; what is cut off or too large becomes NaN or undefined, and the whole is given up. */
class Reader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end;
  }

  get hasMore(): boolean {
    return this.#at < this.#end;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? Number.NaN;
  }

  /** Up to 2^49, without a sign. */
  varint(): number {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 42; factor *= 2 ** 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  }

  message(): Reader {
    const end = this.varint() + this.#at;
    const message = new Reader(this.#bytes, this.#at, end);
    this.#at = end;
    return message;
  }

  text(): string {
    const end = this.varint() + this.#at;
    const text = this.#bytes.toString("utf8", this.#at, end);
    this.#at = end;
    return text;
  }
}

const STATES: ReadonlyMap<number, string> = new Map(
  Object.entries(ReservationState).map(([name, number]) => [number, name]),
);

function readReservation(reader: Reader): string | undefined {
  let reservationId = "";
  let eventId = "";
  let state = STATES.get(0);
  let paymentId = "";
  let [total, createTime, expireTime, expiresIn]: (string | undefined)[] = ["", "", "", ""];
  const items: (string | undefined)[] = [];
  while (reader.hasMore) {
    switch (reader.byte()) {
      case tag(1, DELIMITED):
        reservationId = reader.text();
        break;
      case tag(2, DELIMITED):
        eventId = reader.text();
        break;
      case tag(3, VARINT):
        state = STATES.get(reader.varint());
        break;
      case tag(4, DELIMITED):
        items.push(readItem(reader.message()));
        break;
      case tag(5, DELIMITED):
        total = readMoney(reader.message());
        break;
      case tag(6, DELIMITED):
        createTime = readTime(reader.message());
        break;
      case tag(7, DELIMITED):
        expireTime = readTime(reader.message());
        break;
      case tag(8, DELIMITED):
        expiresIn = readDuration(reader.message());
        break;
      case tag(9, DELIMITED):
        paymentId = reader.text();
        break;
      default:
        return undefined;
    }
  }
  const parts = [state, total, createTime, expireTime, expiresIn, ...items];
  if (!reader.isAtEnd || parts.includes(undefined)) return undefined;
  return (
    `{"reservationId":${quote(reservationId)},"eventId":${quote(eventId)},` +
    `"state":"RESERVATION_STATE_${state}","items":[${items.join()}]` +
    `${member("total", total)}${member("createTime", createTime)}${member("expireTime", expireTime)}` +
    `${member("expiresIn", expiresIn)},"paymentId":${quote(paymentId)}}`
  );
}

function readItem(reader: Reader): string | undefined {
  let [ticketTypeId, name, category] = ["", "", ""];
  let quantity = 0;
  let unitPrice: string | undefined = "";
  while (reader.hasMore) {
    switch (reader.byte()) {
      case tag(1, DELIMITED):
        ticketTypeId = reader.text();
        break;
      case tag(2, DELIMITED):
        name = reader.text();
        break;
      case tag(3, DELIMITED):
        category = reader.text();
        break;
      case tag(4, VARINT):
        quantity = reader.varint();
        break;
      case tag(5, DELIMITED):
        unitPrice = readMoney(reader.message());
        break;
      default:
        return undefined;
    }
  }
  if (!reader.isAtEnd || unitPrice === undefined || !(quantity <= MAX_INT32)) return undefined;
  return (
    `{"ticketTypeId":${quote(ticketTypeId)},"name":${quote(name)},"category":${quote(category)},` +
    `"quantity":${quantity}${member("unitPrice", unitPrice)}}`
  );
}

const MAX_INT32 = 2 ** 31 - 1;

function readMoney(reader: Reader): string | undefined {
  let currencyCode = "";
  let minorUnits = 0;
  while (reader.hasMore) {
    const next = reader.byte();
    if (next === tag(1, DELIMITED)) currencyCode = reader.text();
    else if (next === tag(2, VARINT)) minorUnits = reader.varint();
    else return undefined;
  }
  if (!reader.isAtEnd || Number.isNaN(minorUnits)) return undefined;
  return `{"currencyCode":${quote(currencyCode)},"minorUnits":"${minorUnits}"}`;
}

function readTime(reader: Reader): string | undefined {
  const parts = readSeconds(reader);
  if (parts === undefined || parts.seconds > MAX_TIME_SECONDS) return undefined;
  return `"${new Date(parts.seconds * 1_000).toISOString().slice(0, 19)}${fraction(parts.nanos)}Z"`;
}

/** The end of the year 9999, after which a Timestamp has no JSON. */
const MAX_TIME_SECONDS = 253_402_300_799;

function readDuration(reader: Reader): string | undefined {
  const parts = readSeconds(reader);
  if (parts === undefined || parts.seconds > MAX_DURATION_SECONDS) return undefined;
  return `"${parts.seconds}${fraction(parts.nanos)}s"`;
}

const MAX_DURATION_SECONDS = 315_576_000_000;

function readSeconds(reader: Reader): { seconds: number; nanos: number } | undefined {
  let [seconds, nanos] = [0, 0];
  while (reader.hasMore) {
    const next = reader.byte();
    if (next === tag(1, VARINT)) seconds = reader.varint();
    else if (next === tag(2, VARINT)) nanos = reader.varint();
    else return undefined;
  }
  return reader.isAtEnd && nanos < 1_000_000_000 ? { seconds, nanos } : undefined;
}

/** In thousandths, millionths or billionths, as short as it goes. */
function fraction(nanos: number): string {
  if (nanos === 0) return "";
  return `.${String(nanos)
    .padStart(9, "0")
    .replace(/(000){1,2}$/, "")}`;
}

const member = (name: string, value: string | undefined): string =>
  value === "" ? "" : `,"${name}":${value}`;

const quote = (text: string): string => JSON.stringify(text);
