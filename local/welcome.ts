import { relative } from "node:path";
import type { LocalConfig } from "./config.ts";
import type { Showcase } from "./demo.ts";
import { reach } from "./services.ts";

/** The screen that the start ends with. Its commands work when pasted. */
export function welcome(options: {
  config: LocalConfig;
  token: string;
  showcase: Showcase | undefined;
  startedInMs: number;
}): string {
  const { config, token, showcase, startedInMs } = options;
  const gateway = `http://${reach(config, "gateway")}`;
  const relativeFolder = relative(process.cwd(), config.dataFolder);
  const folder = relativeFolder.startsWith("..") ? config.dataFolder : relativeFolder || ".";
  return `
Boxoffice is open (started in ${(startedInMs / 1000).toFixed(1)} s):

  the shop      ${gateway}/
  operations    ${gateway}/operations

Operator token, for operations (12 hours; "npm run --silent token" makes another):
${token}

${examples(config, showcase).join("\n\n")}

Data is in ${folder}, logs are in ${folder}/logs. Ctrl-C stops everything.`;
}

function examples(config: LocalConfig, showcase: Showcase | undefined): string[] {
  const gateway = `http://${reach(config, "gateway")}`;
  const reservation = reach(config, "reservation");
  const catalog = reach(config, "catalog");
  const json = "-H 'Content-Type: application/json'";
  const bufCurl = "npx buf curl --protocol grpc --http2-prior-knowledge";
  if (showcase === undefined) {
    const list = "boxoffice.catalog.v1.CatalogService/ListEvents";
    return [
      `curl -s ${gateway}/${list} ${json} -d '{}'`,
      `grpcurl -plaintext ${catalog} ${list}`,
      `${bufCurl} -d '{}' http://${catalog}/${list}`,
    ];
  }
  const { eventId, ticketTypeId } = showcase;
  const order = JSON.stringify({ eventId, items: [{ ticketTypeId, quantity: 2 }] });
  const which = JSON.stringify({ eventId });
  return [
    `curl -s ${gateway}/boxoffice.reservation.v1.ReservationService/Reserve ${json} -d '${order}'`,
    `grpcurl -plaintext -d '${which}' ${reservation} boxoffice.reservation.v1.ReservationService/GetAvailability`,
    `${bufCurl} -d '${which}' http://${catalog}/boxoffice.catalog.v1.CatalogService/GetEvent`,
  ];
}
