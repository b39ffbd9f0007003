import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { dashboard } from "../../deploy/grafana/dashboard.ts";
import { PROCESSES, ROOT } from "../../local/config.ts";
import { startBoxOffice } from "../support/box-office.ts";
import { metricsIn } from "./promql.ts";

type Alert = { alert: string; expr: string; labels: { severity: string } };

const alerts: Alert[] = parse(
  readFileSync(join(ROOT, "deploy", "prometheus", "alerts.yml"), "utf8"),
).groups.flatMap(({ rules }: { rules: Alert[] }) => rules);

test("every alert has a section that says what it means, and every section an alert", () => {
  const sections = readFileSync(join(ROOT, "docs", "operations.md"), "utf8").matchAll(/^### (\w+)( 🔔)?$/gm);
  const documented = [...sections].map(([, name, bell]) => [name, bell ? "page" : "ticket"]);
  expect(documented).toEqual(alerts.map(({ alert, labels }) => [alert, labels.severity]));
});

test("the dashboard is written out as it is described", () => {
  const written = readFileSync(join(ROOT, "deploy", "grafana", "boxoffice.json"), "utf8");
  expect(JSON.parse(written), "node deploy/grafana/write.ts writes it").toEqual(dashboard());
});

test("alerts and dashboard ask in PromQL, and for metrics that the processes have", async () => {
  const box = await startBoxOffice();
  try {
    const scrapes = await Promise.all(PROCESSES.map((name) => scrape(box.stack.config.adminPorts[name])));
    const known = new Set(["up", ...scrapes.flat()]); // the first is Prometheus's own
    const panels = dashboard().panels.flatMap((panel) => ("targets" in panel ? panel.targets : []));
    const unknown = [...alerts, ...panels]
      .flatMap(({ expr }) => metricsIn(expr))
      .filter((name) => !known.has(name));
    expect(unknown).toEqual([]);
  } finally {
    await box.end();
  }
}, 120_000);

/** The names of the series that a process has. */
async function scrape(adminPort: number): Promise<string[]> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  return [...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)].flatMap(([, name = "", type]) =>
    type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
}

test("what is no PromQL is told from what is", () => {
  expect(metricsIn('max by (state) (a_b{c="d"}) > rate(e_total[5m])')).toEqual(["a_b", "e_total"]);
  expect(() => metricsIn("sum(a_b")).toThrow("no PromQL");
  expect(() => metricsIn("1 > 0")).toThrow("asks for no metric");
});
