import { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";

const NAMES = new Map(Object.entries(ReservationState).map(([name, state]) => [state as number, name]));

/** The name that the schema keeps of a state, which calls and events spell with equal numbers. */
export const stateName = (state: number): string => NAMES.get(state) ?? `number ${state}`;
