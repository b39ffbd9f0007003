import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { isDecided, refusalOf } from "../api/refusal.ts";
import { requestIdFor, settle } from "./intents.ts";
import type { Card } from "./test-cards.ts";
import { noteReservation, refreshReservation } from "./use-reservation.ts";
import { useSingle } from "./use-single.ts";

const SLOW_MS = 4000;

/** Pays a reservation: at most once, however often it is pressed. */
export function usePay(reservationId: string) {
  const client = useQueryClient();
  const intent = `pay.${reservationId}`;
  const single = useSingle();
  const mutation = useMutation(PaymentService.method.payReservation, {
    onMutate: () => ({ askedAtMs: performance.now() }),
    onSuccess({ reservation }, _, { askedAtMs }) {
      settle(intent);
      if (reservation) noteReservation(client, reservation, askedAtMs);
      else void refreshReservation(client, reservationId);
    },
    onSettled: () => single.end(),
    onError(error) {
      if (isDecided(refusalOf(error))) settle(intent);
      void refreshReservation(client, reservationId);
    },
  });
  return {
    pay({ token, currencyCode }: Card) {
      if (!single.begin()) return;
      const order = { reservationId, token, currencyCode };
      mutation.mutate({ ...order, requestId: requestIdFor(intent, order) });
    },
    isPaying: mutation.isPending,
    isSlow: useSlow(mutation.isPending),
    error: mutation.error,
  };
}

/** Whether something goes on for longer than people expect. */
function useSlow(isGoingOn: boolean): boolean {
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    if (!isGoingOn) return;
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [isGoingOn]);
  return isSlow;
}
