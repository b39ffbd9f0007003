import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { createConnectQueryKey, useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { isDecided, refusalOf } from "../api/refusal.ts";
import type { ContactDetails } from "./contact.tsx";
import { isPending, requestIdFor, settle } from "./intents.ts";
import { rememberReservation } from "./known-reservations.ts";
import type { Quantities } from "./use-choice.ts";
import { noteReservation } from "./use-reservation.ts";
import { useSingle } from "./use-single.ts";

/**
 * Reserves what was chosen of an event, and leads to the hold.
 *
 * @param onReserved called when the choice has become a reservation
 */
export function useReserve(eventId: string, onReserved: () => void) {
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const intent = `reserve.${eventId}`;
  const [wasLost] = useState(() => isPending(intent));
  const single = useSingle();
  const mutation = useMutation(ReservationService.method.reserve, {
    onMutate: () => ({ askedAtMs: performance.now() }),
    onSuccess({ reservation }, _, { askedAtMs }) {
      settle(intent);
      if (reservation === undefined) return;
      noteReservation(client, reservation, askedAtMs);
      rememberReservation({ reservationId: reservation.reservationId, eventId });
      onReserved();
      navigate(`/reservation#${reservation.reservationId}`);
    },
    onSettled: () => single.end(),
    onError(error) {
      if (isDecided(refusalOf(error))) settle(intent);
      // What is left has changed, or the page would not have offered what was refused.
      const { getAvailability } = ReservationService.method;
      const queryKey = createConnectQueryKey({
        schema: getAvailability,
        input: { eventId },
        cardinality: "finite",
      });
      void client.invalidateQueries({ queryKey });
    },
  });
  return {
    reserve(quantities: Quantities, { name, email }: ContactDetails) {
      if (!single.begin()) return;
      const items = Object.entries(quantities)
        .map(([ticketTypeId, quantity]) => ({ ticketTypeId, quantity }))
        .toSorted((a, b) => a.ticketTypeId.localeCompare(b.ticketTypeId));
      const customer = { name: name.trim(), email: email.trim() };
      const order = { eventId, items, ...((customer.name || customer.email) && { customer }) };
      mutation.mutate({ ...order, requestId: requestIdFor(intent, order) });
    },
    isReserving: mutation.isPending || mutation.isSuccess,
    error: mutation.error,
    /** Whether an earlier order was sent from here and never answered. */
    wasLost,
  };
}
