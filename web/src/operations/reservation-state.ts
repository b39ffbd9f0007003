import { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";

export const RESERVATION_STATES = {
  held: ReservationState.HELD,
  paying: ReservationState.PAYING,
  paid: ReservationState.PAID,
  expired: ReservationState.EXPIRED,
  cancelled: ReservationState.CANCELLED,
} as const;

export type StateName = keyof typeof RESERVATION_STATES;
export const STATE_NAMES = Object.keys(RESERVATION_STATES) as StateName[];

export function nameOfState(state: ReservationState): StateName | undefined {
  return STATE_NAMES.find((name) => RESERVATION_STATES[name] === state);
}
