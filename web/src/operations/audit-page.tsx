import type { AuditEntry } from "@boxoffice/proto/boxoffice/common/v1/audit_pb.ts";
import { useTransport } from "@connectrpc/connect-query";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useId } from "react";
import { useSearchParams } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Empty } from "../ui/empty.tsx";
import { Pending } from "../ui/pending.tsx";
import { useTitle } from "../ui/use-title.ts";
import { AUDITED, type Audited, listAudit } from "./audit.ts";
import { EventFilter } from "./event-filter.tsx";
import { EventName } from "./event-name.tsx";
import { MoreButton } from "./more-button.tsx";
import { TableFrame } from "./table-frame.tsx";
import { useWords } from "./use-words.ts";

const POLL_MS = 5000;

/** What operators did, and why: each service keeps its own. */
export function AuditPage() {
  const { audit: say } = useWords();
  const transport = useTransport();
  const [parameters, setParameters] = useSearchParams();
  const of = AUDITED.find((name) => name === parameters.get("of")) ?? "events";
  const eventId = parameters.get("event") ?? "";
  const ofId = useId();
  useTitle(say.title);
  const query = useInfiniteQuery({
    queryKey: ["audit", of, eventId],
    queryFn: ({ pageParam, signal }) => listAudit(transport, of, eventId, pageParam, signal),
    initialPageParam: "",
    getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
    placeholderData: keepPreviousData,
    refetchInterval: POLL_MS,
  });
  const { data, error, refetch } = query;
  const entries = data?.pages.flatMap((page) => page.entries);
  const change = (chosen: Audited, event: string) =>
    setParameters({ of: chosen, ...(event && { event }) }, { replace: true });
  return (
    <>
      <div className="intro">
        <h1>{say.title}</h1>
        <p>{say.lead}</p>
      </div>
      <div className="filters">
        <span className="choice-of">
          <label htmlFor={ofId}>{say.of}</label>
          <select id={ofId} value={of} onChange={(event) => change(event.target.value as Audited, eventId)}>
            {AUDITED.map((name) => (
              <option key={name} value={name}>
                {say.audited[name]}
              </option>
            ))}
          </select>
        </span>
        <EventFilter eventId={eventId} onChange={(event) => change(of, event)} />
      </div>
      {entries?.length === 0 && <Empty {...say.empty} />}
      {entries && entries.length > 0 && <Table entries={entries} />}
      {!entries && <Pending error={error} onRetry={() => void refetch()} lines={5} />}
      <MoreButton query={query} />
    </>
  );
}

function Table({ entries }: { entries: readonly AuditEntry[] }) {
  const { format } = useLanguage();
  const { audit: say } = useWords();
  return (
    <section className="panel">
      <TableFrame label={say.title}>
        <thead>
          <tr>
            <th scope="col">{say.time}</th>
            <th scope="col">{say.actor}</th>
            <th scope="col">{say.action}</th>
            <th scope="col">{say.event}</th>
            <th scope="col">{say.details}</th>
            <th scope="col">{say.reason}</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ auditEntryId, time, actor, action, eventId, details, reason }) => (
            <tr key={auditEntryId}>
              <th scope="row" className="moment">
                {time && format.moment(time)}
              </th>
              <td>{actor}</td>
              <td>{say.actions[action] ?? action}</td>
              <td>
                <EventName eventId={eventId} />
              </td>
              <td className="changes">
                {Object.entries(details).map(([name, change]) => (
                  <div key={name}>
                    <span className="changes-of">{say.changed[name] ?? name.replaceAll("_", " ")}</span>{" "}
                    <span dir="auto">{change}</span>
                  </div>
                ))}
              </td>
              <td dir="auto">{reason}</td>
            </tr>
          ))}
        </tbody>
      </TableFrame>
    </section>
  );
}
