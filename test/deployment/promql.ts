import { parser } from "@prometheus-io/lezer-promql";

/**
 * The metrics that an expression asks for.
 *
 * @throws where it is no PromQL
 */
export function metricsIn(expression: string): string[] {
  // Grafana puts a duration in the place of its variable.
  const text = expression.replaceAll("$__rate_interval", "1m");
  const names: string[] = [];
  parser.parse(text).iterate({
    enter({ name, type, from, to, node }) {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${text}`);
      if (name === "Identifier" && node.parent?.name === "VectorSelector") names.push(text.slice(from, to));
    },
  });
  if (names.length === 0) throw new Error(`asks for no metric: ${text}`);
  return names;
}
