import { Stencil } from "@boxoffice/platform/rpc/stencil.ts";
import { likenessOf, type Reservation } from "../domain/reservation.ts";

/** Stencils kept; those of past batches are of no use. */
const MAX_STENCILS = 1_000;

/** Encodes answers about holds that were just made: most of those of a batch are alike but for their ids. */
export class HoldAnswers {
  readonly #encode: (reservation: Reservation) => Uint8Array;
  readonly #stencils = new Map<string, Stencil>();

  /** @param encode the answer about a hold, without its customer */
  constructor(encode: (reservation: Reservation) => Uint8Array) {
    this.#encode = encode;
  }

  encode(reservation: Reservation): Buffer {
    const likeness = likenessOf(reservation);
    const { reservationId } = reservation;
    const known = this.#stencils.get(likeness);
    if (known !== undefined) return known.print(reservationId);
    if (this.#stencils.size >= MAX_STENCILS) this.#stencils.clear();
    const stencil = new Stencil(this.#encode(reservation), reservationId);
    this.#stencils.set(likeness, stencil);
    return stencil.print(reservationId);
  }
}
