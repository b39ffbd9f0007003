import type { Wanted } from "@boxoffice/platform/batcher.ts";
import type { ChangeRequest } from "../domain/change.ts";
import type { Reservation } from "../domain/reservation.ts";
import type { ChangeLane } from "../lanes.ts";
import type { At } from "../store/read.ts";

/**
 * Has a reservation changed.
 *
 * @returns the reservation as it is now
 * @throws BoxofficeError why it is not to be
 */
export async function change(
  changing: ChangeLane,
  request: ChangeRequest,
  wanted?: Wanted,
): Promise<At<Reservation>> {
  const outcome = await changing.submit(request, wanted);
  if (outcome.kind === "refused") throw outcome.error;
  return { value: outcome.reservation, now: outcome.now };
}
