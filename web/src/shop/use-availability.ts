import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { useQuery } from "@connectrpc/connect-query";

/** How often what is left is asked for while somebody looks, in milliseconds: caches keep it for a second. */
const POLL_MS = 2000;

/** What is left of an event, kept up to date while the page is seen. */
export function useAvailability(eventId: string) {
  return useQuery(
    ReservationService.method.getAvailability,
    { eventId },
    { refetchInterval: () => POLL_MS * (0.9 + Math.random() / 5), refetchOnWindowFocus: "always" },
  );
}
