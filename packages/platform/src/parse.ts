import type { Money } from "@boxoffice/proto/boxoffice/common/v1/money_pb.ts";
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { invalidField } from "./errors.ts";

/** Times outside are somebody's mistake, and some of them PostgreSQL or JavaScript cannot hold. */
const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

/** A million euros: more than any ticket costs, and small enough that no sum of prices overflows. */
const MAX_PRICE_MINOR = 100_000_000n;

/** The only currency that the box office sells in. */
export const CURRENCY = "EUR";

/** Ids as the database gives them back: UUIDs are compared as text, so their case is made one. */
export const parseId = (id: string): string => id.toLowerCase();

/** @throws BoxofficeError INVALID_REQUEST outside the years 2000 to 2199 */
export function parseTime(field: string, time: Timestamp): Date {
  const ms = Number(time.seconds) * 1000;
  if (!(ms >= EARLIEST && ms < LATEST) || time.nanos < 0 || time.nanos > 999_999_999) {
    throw invalidField(field, "must be a time in the years 2000 to 2199");
  }
  return timestampDate(time);
}

/** The same for a time that may be unset. */
export function parseOptionalTime(field: string, time: Timestamp | undefined): Date | null {
  return time === undefined ? null : parseTime(field, time);
}

/**
 * A ticket's price, in cents.
 *
 * @throws BoxofficeError INVALID_REQUEST for no price, another currency, and less than 0 or more than a million
 */
export function parsePrice(field: string, price: Money | undefined): bigint {
  if (price === undefined) throw invalidField(field, "must be set");
  if (price.currencyCode !== CURRENCY) throw invalidField(`${field}.currency_code`, `must be ${CURRENCY}`);
  if (price.minorUnits < 0n || price.minorUnits > MAX_PRICE_MINOR) {
    throw invalidField(`${field}.minor_units`, `must be from 0 to ${MAX_PRICE_MINOR}`);
  }
  return price.minorUnits;
}

/** An amount in cents, as the contract writes money. */
export const euro = (minorUnits: bigint) => ({ currencyCode: CURRENCY, minorUnits });
