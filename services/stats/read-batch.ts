import {
  type Change,
  ChangeBatchSchema,
  ChangeSchema,
  type ReservationChange,
  type ReservationState,
  type ReservedItem,
} from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { fromBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import type { Timestamp } from "@bufbuild/protobuf/wkt";

/** What of a reservation is counted, as its change says it. */
export type CountedReservation = Pick<ReservationChange, "reservationRef" | "version" | "state"> & {
  items: Pick<ReservedItem, "ticketTypeId" | "quantity" | "unitPrice">[];
  createTime?: Timestamp | undefined;
  payTime?: Timestamp | undefined;
  closeTime?: Timestamp | undefined;
};

/** A change whose kind is known, and of a reservation what is counted. */
export type ReadChange = { reservation: CountedReservation } | { change: Change };

export type ReadBatch = {
  eventId: string;
  changeTime: Timestamp | undefined;
  /** Of what made the changes, where that was traced. */
  traceparent: string;
  changes: (() => ReadChange)[];
};

/**
 * Reads a ChangeBatch. Nearly all changes of a busy sale are reservations, and reading them without protobuf-es and
 * without what nobody counts takes a third of the time. Each change is read when it is asked for, so that one that
 * cannot be read does not take its neighbours with it.
 *
 * @throws Error where the whole is no such message
 */
export function readBatch(payload: Uint8Array): ReadBatch {
  const reader = new BinaryReader(payload);
  const changes: Uint8Array[] = [];
  const envelope: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, wireType] = reader.tag();
    if (field === CHANGES && wireType === WireType.LengthDelimited) {
      changes.push(reader.bytes());
      continue;
    }
    reader.skip(wireType, field);
    envelope.push(payload.subarray(start, reader.pos));
  }
  const { eventId, changeTime, traceparent } = fromBinary(ChangeBatchSchema, Buffer.concat(envelope));
  return { eventId, changeTime, traceparent, changes: changes.map((bytes) => () => readChange(bytes)) };
}

// Field numbers of events.proto.
const CHANGES = 3;
const CHANGE = { reservation: 3 };
const RESERVATION = { ref: 1, version: 2, state: 3, items: 4, createTime: 6, payTime: 8, closeTime: 9 };
const ITEM = { ticketTypeId: 1, quantity: 2, unitPrice: 3 };

function readChange(bytes: Uint8Array): ReadChange {
  const reader = new BinaryReader(bytes);
  const [field, wireType] = reader.tag();
  if (field === CHANGE.reservation && wireType === WireType.LengthDelimited) {
    const end = reader.uint32() + reader.pos;
    // Two of a kind would have to be merged, which nobody writes.
    if (end === reader.len) return { reservation: readReservation(reader, end) };
  }
  return { change: fromBinary(ChangeSchema, bytes) };
}

function readReservation(reader: BinaryReader, end: number): CountedReservation {
  const reservation: CountedReservation = { reservationRef: "", version: 0n, state: 0, items: [] };
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    switch (field) {
      case RESERVATION.ref:
        reservation.reservationRef = reader.string();
        break;
      case RESERVATION.version:
        reservation.version = BigInt(reader.int64());
        break;
      case RESERVATION.state:
        reservation.state = reader.int32() as ReservationState; // which may be one that is not known here
        break;
      case RESERVATION.items:
        reservation.items.push(readItem(reader, reader.uint32() + reader.pos));
        break;
      case RESERVATION.createTime:
        reservation.createTime = readTime(reader, reader.uint32() + reader.pos);
        break;
      case RESERVATION.payTime:
        reservation.payTime = readTime(reader, reader.uint32() + reader.pos);
        break;
      case RESERVATION.closeTime:
        reservation.closeTime = readTime(reader, reader.uint32() + reader.pos);
        break;
      default:
        reader.skip(wireType, field);
    }
  }
  return reservation;
}

function readItem(reader: BinaryReader, end: number): CountedReservation["items"][number] {
  const item: CountedReservation["items"][number] = { ticketTypeId: "", quantity: 0 };
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    if (field === ITEM.ticketTypeId) item.ticketTypeId = reader.string();
    else if (field === ITEM.quantity) item.quantity = reader.int32();
    else if (field === ITEM.unitPrice) item.unitPrice = readMoney(reader, reader.uint32() + reader.pos);
    else reader.skip(wireType, field);
  }
  return item;
}

function readMoney(reader: BinaryReader, end: number): NonNullable<ReservedItem["unitPrice"]> {
  let currencyCode = "";
  let minorUnits = 0n;
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    if (field === 1) currencyCode = reader.string();
    else if (field === 2) minorUnits = BigInt(reader.int64());
    else reader.skip(wireType, field);
  }
  return { $typeName: "boxoffice.common.v1.Money", currencyCode, minorUnits };
}

function readTime(reader: BinaryReader, end: number): Timestamp {
  let seconds = 0n;
  let nanos = 0;
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    if (field === 1) seconds = BigInt(reader.int64());
    else if (field === 2) nanos = reader.int32();
    else reader.skip(wireType, field);
  }
  return { $typeName: "google.protobuf.Timestamp", seconds, nanos };
}
