import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import type { DescMethod } from "@bufbuild/protobuf";

/** What caches may do with anything but the good answers of {@link PUBLIC}. */
export const NO_STORE = "no-store";

/**
 * What caches may do with a good answer, where it was asked for by GET and nobody in particular asked: keep
 * availability for a second and events for five. An operator's answer is the operator's own.
 */
export const PUBLIC: ReadonlyMap<DescMethod, string> = new Map<DescMethod, string>([
  [ReservationService.method.getAvailability, "public, max-age=1"],
  [CatalogService.method.getEvent, "public, max-age=5"],
  [CatalogService.method.listEvents, "public, max-age=5"],
]);
