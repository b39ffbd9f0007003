/** node deploy/grafana/write.ts: writes the dashboard as Grafana reads it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { dashboard } from "./dashboard.ts";

writeFileSync(join(import.meta.dirname, "boxoffice.json"), `${JSON.stringify(dashboard(), undefined, 2)}\n`);
