import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { DescMethod } from "@bufbuild/protobuf";
import type { Exchange } from "./exchange.ts";

/**
 * What caches may do with a good answer: keep availability for a second and events for five, where they were
 * asked for by GET and nobody in particular asked. An operator's answer is the operator's own.
 */
export function cacheControl(method: DescMethod, { request }: Pick<Exchange, "request">): string {
  const seconds = MAX_AGE_SECONDS.get(method);
  const isShared = request.method === "GET" && request.headers.authorization === undefined;
  return isShared && seconds !== undefined ? `public, max-age=${seconds}` : NO_STORE;
}

export const NO_STORE = "no-store";

const MAX_AGE_SECONDS = new Map<DescMethod, number>([
  [ReservationService.method.getAvailability, 1],
  [CatalogService.method.getEvent, 5],
  [CatalogService.method.listEvents, 5],
]);
