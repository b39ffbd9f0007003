import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import { createClient } from "@connectrpc/connect";
import { type FormEvent, useId, useState } from "react";
import { createTransport } from "../api/transport.ts";
import type { Told } from "../language/en.ts";
import { explain } from "../language/explain.ts";
import { useLanguage } from "../language/language.tsx";
import { Notice } from "../ui/notice.tsx";
import { useTitle } from "../ui/use-title.ts";
import { PageFrame } from "./page-frame.tsx";
import { beginSession, sessionOf, useSession } from "./session.ts";
import { useWords } from "./use-words.ts";

/** Asks for the operator's token, and tries whether it is taken. */
export function SignIn() {
  const { t } = useLanguage();
  const { signIn: say } = useWords();
  const { ending } = useSession();
  const [pasted, setPasted] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [told, setTold] = useState<Told | undefined>(ending === "refused" ? say.ended : undefined);
  const tokenId = useId();
  const hintId = useId();
  useTitle(say.title);

  const submit = async (submitted: FormEvent) => {
    submitted.preventDefault();
    const session = sessionOf(pasted);
    if (session === undefined) return setTold(say.malformed);
    setBusy(true);
    setTold(undefined);
    try {
      const transport = createTransport(() => session.token);
      await createClient(StatsService, transport).getOverview({});
      beginSession(session);
    } catch (error) {
      setTold(explain(t, error));
      setBusy(false);
    }
  };

  return (
    <PageFrame>
      <form className="sign-in panel" onSubmit={(event) => void submit(event)}>
        <h1>{say.title}</h1>
        <p className="hint">{say.lead}</p>
        {told && <Notice kind="error" title={told.title} advice={told.advice} />}
        <div className="fields">
          <label htmlFor={tokenId}>{say.token}</label>
          <input
            id={tokenId}
            type="password"
            autoComplete="off"
            required
            aria-describedby={hintId}
            value={pasted}
            onChange={(event) => setPasted(event.target.value)}
          />
          <p className="hint" id={hintId}>
            {say.hint}
          </p>
        </div>
        <button type="submit" className="button button-main" disabled={isBusy}>
          {isBusy ? say.busy : say.submit}
        </button>
      </form>
    </PageFrame>
  );
}
