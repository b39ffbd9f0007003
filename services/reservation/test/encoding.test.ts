import type { Statement, Transaction } from "@boxoffice/platform/database.ts";
import { ChangeBatchSchema } from "@boxoffice/proto/boxoffice/events/v1/events_pb.ts";
import { ReserveResponseSchema } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { create, fromBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RESERVATION_STATES, type Reservation } from "../domain/reservation.ts";
import { HoldAnswers } from "../rpc/hold-answers.ts";
import { toReservationMessage } from "../rpc/messages.ts";
import { announceReservations, reservationChange } from "../store/changes.ts";
import { newId } from "./harness.ts";

/** Of few values each, so that most are alike in something and hardly any in everything. */
const id = fc.integer({ min: 1, max: 3 }).map((digit) => `0190a5c0-0000-7000-8000-00000000000${digit}`);
const time = fc.constantFrom(0, 1, 60_000).map((ms) => new Date(1_790_000_000_000 + ms));
const item = fc.record({
  ticketTypeId: id,
  name: fc.constantFrom("Standing", "Stehplatz"),
  category: fc.constantFrom("regular", "vip"),
  quantity: fc.integer({ min: 1, max: 2 }),
  unitPriceMinor: fc.constantFrom(0n, 4_200n),
});
const reservation: fc.Arbitrary<Reservation> = fc
  .record({
    reservationId: fc.uuid(),
    eventId: id,
    state: fc.constantFrom(...RESERVATION_STATES),
    version: fc.integer({ min: 1, max: 2 }),
    items: fc.array(item, { minLength: 1, maxLength: 2 }),
    customer: fc.constantFrom(null, { name: "A Buyer", email: "buyer@example.com" }),
    paymentId: fc.constant(null),
    createdAt: time,
    expiresAt: time,
    paidAt: fc.option(time),
    closedAt: fc.option(time),
  })
  .map((one) => ({
    ...one,
    totalMinor: one.items.reduce((sum, { unitPriceMinor }) => sum + unitPriceMinor, 0n),
  }));

test("an answer about a hold says what it would say if it were encoded as a whole", () => {
  const answers = new HoldAnswers([ReserveResponseSchema.field.reservation]);
  fc.assert(
    fc.property(reservation, fc.constantFrom(1_000, 900_000), (one, holdMs) => {
      const expiresAt = new Date(one.createdAt.getTime() + holdMs);
      const hold: Reservation = { ...one, state: "HELD", expiresAt };
      const whole = create(ReserveResponseSchema, {
        reservation: toReservationMessage(hold, hold.createdAt),
      });
      expect(fromBinary(ReserveResponseSchema, answers.encode(hold))).toEqual(whole);
    }),
    { numRuns: 500 },
  );
});

test("what is announced of reservations is what their changes say", () => {
  fc.assert(
    fc.property(fc.array(reservation, { minLength: 1, maxLength: 20 }), (reservations) => {
      const announced = announcedOf(reservations).flatMap(({ changes }) => changes);
      const byEvent = [...Map.groupBy(reservations, ({ eventId }) => eventId).values()].flat();
      expect(announced).toEqual(byEvent.map(reservationChange));
    }),
    { numRuns: 200 },
  );
});

/** The messages that are written to the outbox. */
function announcedOf(reservations: readonly Reservation[]) {
  const written: Statement[] = [];
  const tx = { write: (statement) => void written.push(statement) } as Transaction;
  announceReservations(tx, newId, new Date(0), reservations);
  const payloads = written[0]?.values?.[2] as Uint8Array[];
  return payloads.map((payload) => fromBinary(ChangeBatchSchema, payload));
}
