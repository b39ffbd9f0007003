import {
  CatalogService,
  type Event,
  type TicketType,
} from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { useId, useState } from "react";
import { useLanguage } from "../language/language.tsx";
import { ActDialog } from "./act-dialog.tsx";
import { useAct } from "./use-act.ts";
import { useWords } from "./use-words.ts";

/** The most of one ticket type, as the contract has it. */
const MOST = 10_000_000;

type ChangeQuantityProps = { event: Event; type: TicketType; reserved: bigint; onEnd(): void };

/** Sets how many tickets of a type there are: never fewer than are held or paid. */
export function ChangeQuantity({ event, type, reserved, onEnd }: ChangeQuantityProps) {
  const { format } = useLanguage();
  const { event: say } = useWords();
  const [quantity, setQuantity] = useState(String(type.quantity));
  // As it was when the dialog opened: what somebody else changes meanwhile is not overwritten unseen.
  const [etag] = useState(event.etag);
  const inputId = useId();
  const act = useAct(CatalogService.method.updateTicketType, onEnd);
  return (
    <ActDialog
      title={say.quantity.title(type.name)}
      advice={say.quantity.advice(format.count(reserved))}
      confirm={say.change}
      isBusy={act.isPending}
      error={act.error}
      onConfirm={(reason) =>
        act.mutate({
          eventId: event.eventId,
          ticketTypeId: type.ticketTypeId,
          ticketType: { quantity: Number(quantity) },
          updateMask: { paths: ["quantity"] },
          etag,
          reason,
        })
      }
      onDismiss={onEnd}
    >
      <div className="fields">
        <label htmlFor={inputId}>{say.quantity.label}</label>
        <input
          id={inputId}
          type="number"
          inputMode="numeric"
          required
          min={0}
          max={MOST}
          step={1}
          value={quantity}
          onChange={(changed) => setQuantity(changed.target.value)}
        />
      </div>
    </ActDialog>
  );
}
