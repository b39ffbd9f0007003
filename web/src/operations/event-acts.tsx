import { CatalogService, type Event, EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useState } from "react";
import { ActDialog } from "./act-dialog.tsx";
import { useAct } from "./use-act.ts";
import { useWords } from "./use-words.ts";

type ActName = "publish" | "pause" | "resume" | "cancel";

/** What can be done with an event as it is now. */
export function EventActs({ event: { eventId, state }, isPaused }: { event: Event; isPaused: boolean }) {
  const { event: say } = useWords();
  const [asked, setAsked] = useState<ActName | undefined>();
  const done = () => setAsked(undefined);
  const acts = {
    publish: useAct(CatalogService.method.publishEvent, done),
    pause: useAct(ReservationService.method.pauseSales, done),
    resume: useAct(ReservationService.method.resumeSales, done),
    cancel: useAct(CatalogService.method.cancelEvent, done),
  };
  const ask = (name: ActName) => {
    acts[name].reset();
    setAsked(name);
  };
  if (state === EventState.CANCELLED) return null;
  const first = firstAct(state, isPaused);
  const act = asked && acts[asked];
  return (
    <div className="acts">
      <button
        type="button"
        className={first === "pause" ? "button" : "button button-main"}
        onClick={() => ask(first)}
      >
        {say[first].open}
      </button>
      <button type="button" className="button button-danger" onClick={() => ask("cancel")}>
        {say.cancel.open}
      </button>
      {asked && act && (
        <ActDialog
          title={say[asked].title}
          advice={say[asked].advice}
          confirm={asked === "cancel" ? say.cancel.confirm : say[asked].open}
          isDanger={asked === "cancel" || asked === "pause"}
          isReasonRequired={asked === "cancel"}
          isBusy={act.isPending}
          error={act.error}
          onConfirm={(reason) => act.mutate({ eventId, reason })}
          onDismiss={done}
        />
      )}
    </div>
  );
}

function firstAct(state: EventState, isPaused: boolean): ActName {
  if (state === EventState.DRAFT) return "publish";
  return isPaused ? "resume" : "pause";
}
