import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import type { AuditEntry } from "@boxoffice/proto/boxoffice/common/v1/audit_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { createClient, type Transport } from "@connectrpc/connect";

/** Whose audit is read: each service keeps its own. */
export const AUDITED = ["events", "sale", "payments"] as const;
export type Audited = (typeof AUDITED)[number];

const PAGE_SIZE = 50;

type AuditAnswer = { entries: AuditEntry[]; nextPageToken: string };

/**
 * What operators did, the newest first.
 *
 * @param eventId empty for all events
 * @param pageToken empty for the first page
 */
export function listAudit(
  transport: Transport,
  of: Audited,
  eventId: string,
  pageToken: string,
  signal: AbortSignal,
): Promise<AuditAnswer> {
  const request = { pageSize: PAGE_SIZE, pageToken, filter: { eventId } };
  switch (of) {
    case "events":
      return createClient(CatalogService, transport).listAuditEntries(request, { signal });
    case "sale":
      return createClient(ReservationService, transport).listAuditEntries(request, { signal });
    case "payments":
      return createClient(PaymentService, transport).listAuditEntries(request, { signal });
  }
}
