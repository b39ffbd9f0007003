/**
 * The payment service, which ends as by `kill -9` right after a step that KILL_AFTER names. For proofs: the service's
 * own entry point knows of nothing like it.
 */
import { readConfig, setting } from "@boxoffice/platform/config.ts";
import { runServiceProcess } from "@boxoffice/platform/service-process.ts";
import { assemble, PAYMENT } from "../../services/payment/assemble.ts";
import { MILESTONES, type Milestone } from "../../services/payment/domain/milestones.ts";
import { paymentService } from "../../services/payment/rpc/payment-service.ts";

const { KILL_AFTER } = readConfig({ KILL_AFTER: setting.oneOf(MILESTONES, "begun") });

function reached(milestone: Milestone): void {
  if (milestone !== KILL_AFTER) return;
  process.kill(process.pid, "SIGKILL");
  for (;;); // not one more statement until the signal has arrived
}

await runServiceProcess({ ...PAYMENT, assemble: (parts) => [paymentService(assemble(parts, reached))] });
