import { join } from "node:path";
import { mintToken } from "@boxoffice/platform/auth/tokens.ts";
import { CatalogService } from "@boxoffice/proto/boxoffice/catalog/v1/catalog_pb.ts";
import { PaymentService } from "@boxoffice/proto/boxoffice/payment/v1/payment_pb.ts";
import { ReservationService } from "@boxoffice/proto/boxoffice/reservation/v1/reservation_pb.ts";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { DemoClients } from "./demo.ts";

const TOKEN_TTL_SECONDS = 12 * 60 * 60;
const CALL_LIMIT_MS = 20_000;

/** A token with which whoever started the box office operates it. */
export function createOperatorToken(keysFolder: string): Promise<string> {
  return mintToken({
    privateKeyFile: join(keysFolder, "operator.key"),
    role: "operator",
    subject: "npm start",
    ttlSeconds: TOKEN_TTL_SECONDS,
  });
}

/** Clients that come in through the gateway, like everybody's. `address` is its host and port. */
export function operatorClients(address: string, token: string): DemoClients {
  const transport = createConnectTransport({
    baseUrl: `http://${address}`,
    httpVersion: "1.1",
    defaultTimeoutMs: CALL_LIMIT_MS,
    interceptors: [
      (next) => (request) => {
        request.header.set("Authorization", `Bearer ${token}`);
        return next(request);
      },
    ],
  });
  return {
    catalog: createClient(CatalogService, transport),
    reservation: createClient(ReservationService, transport),
    payment: createClient(PaymentService, transport),
  };
}
