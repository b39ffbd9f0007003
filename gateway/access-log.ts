import type { Logger } from "@boxoffice/platform/log.ts";
import type { Exchange } from "./exchange.ts";
import { type Clients, shortened } from "./limits/clients.ts";

export const ACCESS_LOG_CHOICES = ["all", "failures", "none"] as const;
export type AccessLogChoice = (typeof ACCESS_LOG_CHOICES)[number];

/** What is refused because there is too much is counted, not logged: the log would be too much too. */
const UNAVAILABLE = 503;

/**
 * Logs requests by what was asked for. What was sent never is: addresses and bodies hold reservation ids, which are
 * secrets. Of the client's address, the part that tells people apart is left out.
 */
export function createAccessLog(
  choice: AccessLogChoice,
  clients: Clients,
  log: Logger,
): (exchange: Exchange, status: number, durationMs: number) => void {
  return (exchange, status, durationMs) => {
    const isFailure = status >= 500 && status !== UNAVAILABLE;
    if (choice === "none" || (choice === "failures" && !isFailure)) return;
    const { request, route, requestId } = exchange;
    log.info(
      {
        requestId,
        route,
        httpMethod: request.method,
        http: request.httpVersion,
        status,
        durationMs: Math.round(durationMs * 10) / 10,
        client: shortened(clients.of(request)),
      },
      "request",
    );
  };
}
