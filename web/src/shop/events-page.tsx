import { CatalogService, EventState } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { useInfiniteQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useId, useState } from "react";
import { useSearchParams } from "wouter";
import { useLanguage } from "../language/language.tsx";
import { Empty } from "../ui/empty.tsx";
import { Failure } from "../ui/failure.tsx";
import { useTitle } from "../ui/use-title.ts";
import { EventCard, EventCardOutline } from "./event-card.tsx";
import { loadOtherPages } from "./pages.ts";

const PAGE_SIZE = 24;
const HOUR_MS = 3_600_000;

/** What is on, soonest first, with a search. */
export function EventsPage() {
  const { t, format } = useLanguage();
  const [parameters, setParameters] = useSearchParams();
  const query = parameters.get("q") ?? "";
  const searchId = useId();
  useTitle(undefined);
  const { data, error, isPlaceholderData, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } =
    useEvents(useDeferredValue(query));
  const events = data?.pages.flatMap((page) => page.events);
  const isLoaded = events !== undefined;
  useEffect(() => {
    if (isLoaded) loadOtherPages();
  }, [isLoaded]);
  const search = (text: string) => setParameters(text === "" ? {} : { q: text }, { replace: true });

  return (
    <>
      <div className="intro">
        <h1>{t.events.title}</h1>
        <p>{t.events.lead}</p>
      </div>
      <search className="search">
        <label htmlFor={searchId} className="unseen">
          {t.events.search}
        </label>
        <input
          id={searchId}
          type="search"
          maxLength={200}
          placeholder={t.events.search}
          value={query}
          onChange={(event) => search(event.target.value)}
        />
      </search>
      <p className="unseen" role="status">
        {query !== "" && events && t.events.found(format.count(events.length), events.length === 1)}
      </p>
      {error && events === undefined && <Failure error={error} onRetry={() => void refetch()} />}
      {!error && events === undefined && <Outlines />}
      {events?.length === 0 &&
        (query === "" ? (
          <Empty {...t.events.empty} />
        ) : (
          <Empty {...t.events.noMatch(query)}>
            <button type="button" className="button" onClick={() => search("")}>
              {t.events.clearSearch}
            </button>
          </Empty>
        ))}
      {events && events.length > 0 && (
        <ul className="cards" aria-busy={isPlaceholderData}>
          {events.map((event) => (
            <EventCard key={event.eventId} event={event} />
          ))}
        </ul>
      )}
      {hasNextPage && (
        <p className="more">
          <button
            type="button"
            className="button"
            disabled={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            {t.events.more}
          </button>
        </p>
      )}
    </>
  );
}

function useEvents(query: string) {
  // To the hour, so that everybody asks the same and caches can answer.
  const [startsAfter] = useState(() => timestampFromMs(Math.floor(Date.now() / HOUR_MS) * HOUR_MS));
  return useInfiniteQuery(
    CatalogService.method.listEvents,
    {
      pageSize: PAGE_SIZE,
      pageToken: "",
      query,
      startsAfter,
      states: [EventState.PUBLISHED, EventState.CANCELLED],
    },
    {
      pageParamKey: "pageToken",
      getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
      placeholderData: keepPreviousData,
      staleTime: 5000,
    },
  );
}

function Outlines() {
  const { t } = useLanguage();
  return (
    <div role="status">
      <span className="unseen">{t.loading}</span>
      <ul className="cards" aria-hidden="true">
        <EventCardOutline />
        <EventCardOutline />
        <EventCardOutline />
      </ul>
    </div>
  );
}
