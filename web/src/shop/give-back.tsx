import {
  type Reservation,
  ReservationService,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { explain } from "../language/explain.ts";
import { useLanguage } from "../language/language.tsx";
import { Confirm } from "../ui/confirm.tsx";
import { Notice } from "../ui/notice.tsx";
import { noteReservation, refreshReservation } from "./use-reservation.ts";

/** Gives a hold back before its time. */
export function GiveBack({ reservation: { reservationId } }: { reservation: Reservation }) {
  const { t } = useLanguage();
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const cancel = useMutation(ReservationService.method.cancelReservation, {
    onMutate: () => ({ askedAtMs: performance.now() }),
    onSuccess({ reservation }, _, { askedAtMs }) {
      setAsking(false);
      if (reservation) noteReservation(client, reservation, askedAtMs);
    },
    onError() {
      setAsking(false);
      void refreshReservation(client, reservationId);
    },
  });
  const say = t.reservation.cancel;
  return (
    <div className="give-back">
      {cancel.error && <Told error={cancel.error} />}
      <button type="button" className="button button-quiet" onClick={() => setAsking(true)}>
        {say.open}
      </button>
      {isAsking && (
        <Confirm
          title={say.title}
          advice={say.advice}
          confirm={cancel.isPending ? say.busy : say.confirm}
          dismiss={say.keep}
          isBusy={cancel.isPending}
          onConfirm={() => cancel.mutate({ reservationId })}
          onDismiss={() => setAsking(false)}
        />
      )}
    </div>
  );
}

function Told({ error }: { error: unknown }) {
  const { t } = useLanguage();
  const { title, advice } = explain(t, error);
  return <Notice kind="error" title={title} advice={advice} />;
}
