import type { Mode } from "./mode.ts";
import { expiry } from "./modes/expiry.ts";
import { gateway } from "./modes/gateway.ts";
import { purchase } from "./modes/purchase.ts";
import { queries } from "./modes/queries.ts";
import { reserve } from "./modes/reserve.ts";
import { stats } from "./modes/stats.ts";
import { stored } from "./modes/stored.ts";

/** Everything that is measured, in the order in which it is. A new mode is a file in modes/ and a line here. */
export const MODES: readonly Mode[] = [reserve, gateway, purchase, expiry, stored, stats, queries];
