import { runServiceProcess } from "@boxoffice/platform/service-process.ts";
import { assemble, PAYMENT } from "./assemble.ts";
import { ledgerService } from "./rpc/ledger-service.ts";
import { paymentService } from "./rpc/payment-service.ts";

await runServiceProcess({
  ...PAYMENT,
  assemble: (parts) => [paymentService(assemble(parts)), ledgerService(parts)],
});
