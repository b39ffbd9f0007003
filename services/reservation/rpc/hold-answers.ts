import { encode } from "@boxoffice/platform/rpc/codec.ts";
import { KeptParts, MessageParts } from "@boxoffice/platform/rpc/parts.ts";
import { ReservationSchema } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { create, type DescField } from "@bufbuild/protobuf";
import { likenessOf, type Reservation, timesOf } from "../domain/reservation.ts";
import { type ReservationFields, toContent, toTimes } from "./messages.ts";

/** Parts kept, in which holds are alike. Times are those of the last batches. */
const MAX_CONTENTS = 10_000;
const MAX_TIMES = 100;

/** Encodes answers about holds that were just made, without their customers: most are alike but for their ids. */
export class HoldAnswers {
  readonly #answer: MessageParts;
  readonly #contents = new KeptParts(MAX_CONTENTS);
  readonly #times = new KeptParts(MAX_TIMES);

  /** @param within the fields of the answer that the reservation stands in, from the outside in */
  constructor(within: readonly DescField[]) {
    this.#answer = new MessageParts(within, ReservationSchema.field.reservationId);
  }

  encode(hold: Reservation): Buffer {
    const { reservationId, createdAt: now } = hold;
    const content = this.#contents.get(likenessOf(hold), () => encodeFields(toContent(hold, now)));
    const times = this.#times.get(timesOf(hold), () => encodeFields(toTimes(hold, now)));
    return this.#answer.join(reservationId, content, times);
  }
}

const encodeFields = (fields: ReservationFields): Uint8Array =>
  encode(ReservationSchema, create(ReservationSchema, fields));
