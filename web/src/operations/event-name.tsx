import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { useQuery } from "@connectrpc/connect-query";
import { Link } from "wouter";

const FRESH_MS = 300_000;

/** The name of an event, and the way to it. */
export function EventName({ eventId }: { eventId: string }) {
  const { data } = useQuery(
    CatalogService.method.getEvent,
    { eventId },
    { enabled: eventId !== "", staleTime: FRESH_MS },
  );
  if (eventId === "") return null;
  return (
    <Link href={`/operations/events/${eventId}`} dir="auto">
      {data?.event?.name ?? `${eventId.slice(0, 13)} …`}
    </Link>
  );
}
