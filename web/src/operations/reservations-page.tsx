import { type FormEvent, useId, useState } from "react";
import { useFragment } from "../ui/use-fragment.ts";
import { useTitle } from "../ui/use-title.ts";
import { ReservationDetails } from "./reservation-details.tsx";
import { ReservationList } from "./reservation-list.tsx";
import { useWords } from "./use-words.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Reservations with their buyers. The one that is looked at stands after the # of the address, as in the shop: its
 * number is a secret that no server may read in an address.
 */
export function ReservationsPage() {
  const { reservations: say } = useWords();
  const shown = useFragment();
  useTitle(say.title);
  const show = (reservationId: string) => {
    location.hash = reservationId;
  };
  return (
    <>
      <div className="intro intro-acts">
        <div>
          <h1>{say.title}</h1>
          <p>{say.lead}</p>
        </div>
        <Lookup onFound={show} />
      </div>
      <ReservationList onOpen={show} />
      {UUID.test(shown) && <ReservationDetails key={shown} reservationId={shown} onEnd={() => show("")} />}
    </>
  );
}

function Lookup({ onFound }: { onFound(reservationId: string): void }) {
  const { reservations: say } = useWords();
  const [number, setNumber] = useState("");
  const [isWrong, setWrong] = useState(false);
  const inputId = useId();
  const errorId = useId();
  const submit = (submitted: FormEvent) => {
    submitted.preventDefault();
    const wanted = number.trim();
    setWrong(!UUID.test(wanted));
    if (UUID.test(wanted)) onFound(wanted.toLowerCase());
  };
  return (
    <form className="lookup" onSubmit={submit}>
      <label htmlFor={inputId}>{say.lookup}</label>
      <span className="lookup-line">
        <input
          id={inputId}
          required
          autoComplete="off"
          spellCheck={false}
          aria-invalid={isWrong}
          aria-describedby={errorId}
          value={number}
          onChange={(event) => setNumber(event.target.value)}
        />
        <button type="submit" className="button">
          {say.lookupSubmit}
        </button>
      </span>
      <span className="warn" id={errorId} role="status">
        {isWrong && say.notANumber}
      </span>
    </form>
  );
}
