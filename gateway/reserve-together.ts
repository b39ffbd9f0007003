import { Batcher } from "@boxoffice/platform/batcher.ts";
import { fromStatus } from "@boxoffice/platform/rpc/status.ts";
import {
  ReservationService,
  ReserveRequestSchema,
  ReserveResponseSchema,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { SalesService } from "@boxoffice/proto/boxoffice/reservation/v1/sales_pb.ts";
import { StatusSchema } from "@boxoffice/proto/google/rpc/status_pb.ts";
import { create, type DescMethodUnary, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type Empty, EmptySchema } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import { type Call, timeIsOver } from "./call.ts";
import { decode, encode, forward, forwardEncoded, traceOf } from "./forward.ts";
import { decodeReserveResponse, encodeReserveRequest } from "./reserve-codec.ts";
import type { Answerer } from "./unary.ts";

export type TogetherOptions = {
  /** To the reservation service. */
  transport: Transport;
  /** The gateway's own token there: only the gateway may ask for many. */
  bearer: () => Promise<string>;
};

/** What one call to the service carries; it takes 500. */
const MAX_BATCH = 200;

/** Calls to the service at a time: the next batch gathers, is sent and decided while the one before is. */
const MAX_CALLS = 2;

/** How many may wait for their turn. */
const MAX_QUEUE = 5_000;

/** Nobody's wish for tickets is longer; what is goes alone, so that no batch grows too large, in bytes. */
const MAX_ITEM_BYTES = 4 * 1024;

/**
 * Answers Reserve: requests that arrive while others are under way are sent on together, as one call. Each keeps
 * its own time, trace, check and result. An operator's request goes alone, as its bearer goes with it.
 */
export function reserveTogether({ transport, bearer }: TogetherOptions): Answerer {
  const { reserve } = ReservationService.method;
  const alone = forwardEncoded(reserve, forward(reserve, transport));
  const together = new Batcher<Wish, Uint8Array>({
    maxBatch: MAX_BATCH,
    maxQueue: MAX_QUEUE,
    concurrency: MAX_CALLS,
    run: async (wishes) => reserveMany(transport, await bearer(), wishes),
  });

  return async (bytes, codec, call) => {
    const isOrdinary = call.authorization === undefined && bytes.length <= MAX_ITEM_BYTES;
    if (!isOrdinary) return alone(bytes, codec, call);
    const request = codec === "json" ? fromJson(bytes) : checked(bytes);
    // A text may hold U+0000, for which the service would refuse the whole batch.
    if (request.includes(0)) return alone(bytes, codec, call);
    const answered = together.submit({ request, call }, { isGone: () => call.isGone });
    const response = reservationOf(await within(answered, call.timeLeftMs));
    return codec === "json" ? toJson(response) : response;
  };
}

/** What somebody wants to reserve, in binary. */
type Wish = { request: Uint8Array; call: Call };

/** Each has a time of its own, however long the others wait. */
function within<Value>(answered: Promise<Value>, timeLeftMs: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(timeIsOver()), timeLeftMs);
    answered.then(resolve, reject).finally(() => clearTimeout(limit));
  });
}

/** @throws BoxofficeError INVALID_REQUEST */
function fromJson(bytes: Buffer): Uint8Array {
  const encoded = encodeReserveRequest(bytes.toString());
  return encoded ?? toBinary(ReserveRequestSchema, decode(ReserveRequestSchema, bytes, "json"));
}

/** One that cannot be read would make the whole batch unreadable. @throws BoxofficeError INVALID_REQUEST */
function checked(bytes: Buffer): Buffer {
  decode(ReserveRequestSchema, bytes, "proto");
  return bytes;
}

function toJson(response: Uint8Array): Uint8Array | string {
  const json = decodeReserveResponse(response);
  return json ?? encode(ReserveResponseSchema, fromBinary(ReserveResponseSchema, response), "json");
}

/**
 * ReserveMany with its items, and their results, as bytes: what was read from one client and is written to another
 * service need not become an object in between. A message of which no field is known keeps them as they are.
 */
const RESERVE_MANY: DescMethodUnary = {
  ...SalesService.method.reserveMany,
  input: EmptySchema,
  output: EmptySchema,
};

const ITEMS = 1;
/** The tags of an item's fields: their number, and how they are written. */
const ITEM = {
  request: (1 << 3) | WireType.LengthDelimited,
  timeoutMs: (2 << 3) | WireType.Varint,
  traceparent: (3 << 3) | WireType.LengthDelimited,
} as const;
const ERROR_TAG = (2 << 3) | WireType.LengthDelimited;

/**
 * A result that is a reservation has the very bytes of a response to Reserve.
 *
 * @throws what a call of its own would have failed with
 */
function reservationOf(result: Uint8Array): Uint8Array {
  if (result[0] !== ERROR_TAG) return result;
  throw fromStatus(fromBinary(StatusSchema, new BinaryReader(result.subarray(1)).bytes()));
}

/** @returns the result of each, in binary */
async function reserveMany(
  transport: Transport,
  token: string,
  batch: readonly Wish[],
): Promise<Uint8Array[]> {
  const timeoutMs = Math.max(...batch.map(({ call }) => call.timeLeftMs));
  const message: Empty = create(EmptySchema);
  message.$unknown = batch.map(({ request, call }) => ({
    no: ITEMS,
    wireType: WireType.LengthDelimited,
    data: itemOf(request, call),
  }));
  const headers = { authorization: `Bearer ${token}` };
  const answer = await transport.unary(RESERVE_MANY, undefined, timeoutMs, headers, message);
  const results = (answer.message.$unknown ?? []).map(({ data }) => new BinaryReader(data).bytes());
  if (results.length !== batch.length) throw new Error("a batch has a result for each of its items");
  return results;
}

/** The item, after its length. */
function itemOf(request: Uint8Array, call: Call): Uint8Array {
  const trace = traceOf(call) ?? "";
  const item = Buffer.allocUnsafe(request.length + trace.length + MAX_OVERHEAD);
  const start = MAX_LENGTH_BYTES;
  let end = writeVarint(item, start, ITEM.request);
  end = writeVarint(item, end, request.length);
  item.set(request, end);
  end = writeVarint(item, end + request.length, ITEM.timeoutMs);
  end = writeVarint(item, end, Math.ceil(call.timeLeftMs));
  if (trace !== "") {
    end = writeVarint(item, end, ITEM.traceparent);
    end = writeVarint(item, end, trace.length);
    end += item.write(trace, end, "latin1");
  }
  const length = end - start;
  const lengthAt = start - (length < 2 ** 7 ? 1 : 2);
  writeVarint(item, lengthAt, length);
  return item.subarray(lengthAt, end);
}

/** An item has at most {@link MAX_ITEM_BYTES} and a little: its length takes two bytes. */
const MAX_LENGTH_BYTES = 2;
const MAX_OVERHEAD = 16;

/** @returns where the next byte goes */
function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}
