import type { Area } from "./property.ts";
import { crowd } from "./reservation/crowd.ts";
import { requestIds } from "./reservation/request-ids.ts";

/** What can be proved, by the name that the command line takes. */
export const AREAS: Record<string, Area> = {
  reservation: {
    services: ["reservation", "catalog"],
    properties: [crowd, requestIds],
  },
};
