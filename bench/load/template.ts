import { randomUUID } from "node:crypto";
import { NEW_ID, RESERVATION_ID, type Step } from "./spec.ts";

const UUID_LENGTH = NEW_ID.length;

/** A body that is written many times, each time with other ids in the same places. */
export class Template {
  readonly #bytes: Buffer;
  readonly #newIds: number[];
  readonly #reservationIds: number[];

  constructor(step: Step) {
    this.#bytes = Buffer.from(step.body, "base64");
    this.#newIds = placesOf(NEW_ID, this.#bytes);
    this.#reservationIds = placesOf(RESERVATION_ID, this.#bytes);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** Writes it into `target` from `at` on. */
  write(target: Buffer, at: number, reservationId: string | undefined): void {
    this.#bytes.copy(target, at);
    for (const place of this.#newIds) target.write(randomUUID(), at + place, UUID_LENGTH, "latin1");
    if (reservationId === undefined) return;
    for (const place of this.#reservationIds) target.write(reservationId, at + place, UUID_LENGTH, "latin1");
  }
}

function placesOf(marker: string, bytes: Buffer): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(marker); at >= 0; at = bytes.indexOf(marker, at + UUID_LENGTH)) places.push(at);
  return places;
}
