import {
  type Reservation,
  ReservationService,
  ReservationState,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { callUnaryMethod, useTransport } from "@connectrpc/connect-query";
import { type QueryClient, useQuery } from "@tanstack/react-query";

/** A reservation as an answer told it. */
export type ToldReservation = {
  reservation: Reservation;
  /** When the hold ends on this page's monotonic clock, in milliseconds; undefined unless it is HELD. */
  endsAtMs: number | undefined;
};

/** A clock that stood still while the machine slept is put right this often, in milliseconds. */
const POLL_HELD_MS = 10_000;
const POLL_PAYING_MS = 1500;
const POLL_PAID_MS = 30_000;

/** A reservation, asked for again as long as something may become of it. Its id goes into no address. */
export function useReservation(reservationId: string) {
  const transport = useTransport();
  return useQuery({
    queryKey: keyOf(reservationId),
    queryFn: async ({ signal }): Promise<ToldReservation> => {
      const askedAtMs = performance.now();
      const { getReservation } = ReservationService.method;
      const { reservation } = await callUnaryMethod(transport, getReservation, { reservationId }, { signal });
      if (reservation === undefined) throw new Error("the answer holds no reservation");
      return toldReservation(reservation, askedAtMs);
    },
    structuralSharing: false,
    refetchInterval: ({ state }) => pollMs(state.data?.reservation.state),
    refetchOnWindowFocus: "always",
  });
}

/** Makes known what an act has answered. */
export function noteReservation(client: QueryClient, reservation: Reservation, askedAtMs: number): void {
  client.setQueryData(keyOf(reservation.reservationId), toldReservation(reservation, askedAtMs));
}

/** The time left is counted from when it was asked for, so that a page never promises more than there is. */
function toldReservation(reservation: Reservation, askedAtMs: number): ToldReservation {
  const { expiresIn } = reservation;
  return { reservation, endsAtMs: expiresIn && askedAtMs + durationMs(expiresIn) };
}

const keyOf = (reservationId: string): [string, string] => ["reservation", reservationId];

function pollMs(state: ReservationState | undefined): number | false {
  switch (state) {
    case ReservationState.HELD:
      return POLL_HELD_MS;
    case ReservationState.PAYING:
      return POLL_PAYING_MS;
    case ReservationState.PAID:
      return POLL_PAID_MS;
    default:
      return false;
  }
}

/** Asks for a reservation now. */
export function refreshReservation(client: QueryClient, reservationId: string): Promise<void> {
  return client.invalidateQueries({ queryKey: keyOf(reservationId) });
}
