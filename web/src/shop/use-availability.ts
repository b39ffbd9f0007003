import {
  type GetAvailabilityResponse,
  GetAvailabilityResponseSchema,
  ReservationService,
} from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createConnectQueryKey, useQuery, useTransport } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { timestampMs } from "../api/timestamp.ts";
import { useLive } from "../api/use-live.ts";

/** How often what is left is asked for while no stream tells it, in milliseconds: caches keep it for a second. */
const POLL_MS = 2000;

/** What is left of an event, kept up to date while the page is seen: by a stream, or else by asking. */
export function useAvailability(eventId: string) {
  const { getAvailability } = ReservationService.method;
  const client = useQueryClient();
  const transport = useTransport();
  const isLive = useLive(
    eventId,
    (signal) =>
      createClient(ReservationService, transport).watchAvailability({ eventId }, { signal, timeoutMs: 0 }),
    ({ ticketTypes, asOf }) => {
      const key = createConnectQueryKey({
        schema: getAvailability,
        input: { eventId },
        transport,
        cardinality: "finite",
      });
      const told = create(GetAvailabilityResponseSchema, { eventId, ticketTypes, ...(asOf && { asOf }) });
      client.setQueryData<GetAvailabilityResponse>(key, (before) => newer(before, told));
    },
  );
  const query = useQuery(
    getAvailability,
    { eventId },
    {
      refetchInterval: isLive ? false : () => POLL_MS * (0.9 + Math.random() / 5),
      refetchOnWindowFocus: "always",
      structuralSharing: (before, after) =>
        newer(before as GetAvailabilityResponse | undefined, after as GetAvailabilityResponse),
    },
  );
  return { ...query, isLive };
}

/** An answer that a cache kept may be older than what the stream has told since. */
function newer(
  before: GetAvailabilityResponse | undefined,
  after: GetAvailabilityResponse,
): GetAvailabilityResponse {
  return before?.asOf && after.asOf && timestampMs(after.asOf) < timestampMs(before.asOf) ? before : after;
}
