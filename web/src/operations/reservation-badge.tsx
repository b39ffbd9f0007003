import type { ReservationState } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { nameOfState, type StateName } from "./reservation-state.ts";
import { useWords } from "./use-words.ts";

const CLASSES: Readonly<Record<StateName, string>> = {
  held: "badge",
  paying: "badge badge-few",
  paid: "badge badge-good",
  expired: "badge badge-off",
  cancelled: "badge badge-off",
};

export function ReservationBadge({ state }: { state: ReservationState }) {
  const { reservations: say } = useWords();
  const name = nameOfState(state);
  return name && <span className={CLASSES[name]}>{say.states[name]}</span>;
}
