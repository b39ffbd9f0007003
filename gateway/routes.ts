import type { Logger } from "@boxoffice/platform/log.ts";
import { accessOf } from "@boxoffice/platform/rpc/access.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { Caller } from "@boxoffice/proto/boxoffice/common/v1/access_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { StatsService } from "@boxoffice/proto/boxoffice/stats/v1/stats_pb.ts";
import type { DescMethod, DescMethodUnary, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, Transport } from "@connectrpc/connect";
import { forward } from "./forward.ts";

/** The processes behind the gateway. */
export const BACKENDS = ["catalog", "reservation", "payment", "stats"] as const;
export type BackendName = (typeof BACKENDS)[number];

/**
 * Routes what the public and operators may call to the services. Every other method is not mounted at all, so
 * that it is as unknown here as a mistyped one.
 */
export function mountRoutes(
  router: ConnectRouter,
  transports: Readonly<Record<BackendName, Transport>>,
  log: Logger,
): void {
  for (const { desc, backend } of SERVICES) {
    for (const method of desc.methods.filter(isForBrowsers)) {
      router.rpc(method, forward(method, transports[backend], log));
    }
  }
}

const SERVICES: readonly { desc: DescService; backend: BackendName }[] = [
  { desc: CatalogService, backend: "catalog" },
  { desc: ReservationService, backend: "reservation" },
  { desc: PaymentService, backend: "payment" },
  { desc: StatsService, backend: "stats" },
];

function isForBrowsers(method: DescMethod): method is DescMethodUnary {
  if (accessOf(method).caller === Caller.SERVICE) return false;
  return method.methodKind === "unary"; // streams are not forwarded yet
}
