import type { Database } from "@boxoffice/platform/database.ts";
import { toBatches } from "@boxoffice/platform/export.ts";
import { parseId } from "@boxoffice/platform/parse.ts";
import { type RpcService, service } from "@boxoffice/platform/rpc/service.ts";
import { LedgerService } from "@boxoffice/proto/boxoffice/payment/v1/ledger_pb.ts";
import { paymentChange } from "../store/announcement.ts";
import { allPayments } from "../store/export.ts";

/** What statistics ask of the payments when they have lost something. */
export function ledgerService({ database }: { database: Database }): RpcService {
  return service(LedgerService, {
    async *export(request) {
      const eventId = request.eventId === "" ? null : parseId(request.eventId);
      for await (const payments of allPayments(database, eventId)) {
        yield {
          batches: toBatches(
            payments.flatMap((payment) =>
              payment.bill ? [{ eventId: payment.bill.eventId, change: paymentChange(payment) }] : [],
            ),
          ),
        };
      }
    },
  });
}
