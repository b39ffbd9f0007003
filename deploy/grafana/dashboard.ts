/** A row of the dashboard: what somebody asks, and the panels that answer. */
type Row = { title: string; panels: Panel[] };

type Panel = {
  title: string;
  unit: "short" | "s" | "reqps" | "percentunit";
  /** PromQL by what each line is called; `{{label}}` stands for a label. */
  lines: Record<string, string>;
};

const quantile = (q: number, metric: string, by = "", matcher = ""): string =>
  `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (rate(${metric}_bucket${matcher}[$__rate_interval])))`;

const CALLS = "boxoffice_rpc_duration_seconds";

const ROWS: Row[] = [
  {
    title: "Is it selling?",
    panels: [
      {
        title: "Reservations made, and refused",
        unit: "reqps",
        lines: {
          made: "sum(rate(boxoffice_holds_made_total[$__rate_interval]))",
          "refused: {{reason}}": "sum by (reason) (rate(boxoffice_reserve_refusals_total[$__rate_interval]))",
        },
      },
      {
        title: "How long a buyer waits for tickets",
        unit: "s",
        lines: {
          median: quantile(0.5, CALLS, "", '{method=~"Reserve|ReserveMany"}'),
          "1 in 100": quantile(0.99, CALLS, "", '{method=~"Reserve|ReserveMany"}'),
        },
      },
      {
        title: "Payments asked of the provider, by outcome",
        unit: "reqps",
        lines: {
          "{{call}} {{outcome}}":
            "sum by (call, outcome) (rate(boxoffice_payment_provider_calls_total[$__rate_interval]))",
        },
      },
      {
        title: "Payments that somebody has to watch",
        unit: "short",
        lines: { "{{state}}": "max by (state) (boxoffice_payment_unsettled_payments)" },
      },
    ],
  },
  {
    title: "Who is slow, and who fails?",
    panels: [
      {
        title: "Calls by service",
        unit: "reqps",
        lines: { "{{service}}": `sum by (service) (rate(${CALLS}_count[$__rate_interval]))` },
      },
      {
        title: "Calls that did not end well, by code",
        unit: "reqps",
        lines: {
          "{{method}} {{code}}": `sum by (method, code) (rate(${CALLS}_count{code!="OK"}[$__rate_interval]))`,
        },
      },
      {
        title: "Slowest calls (1 in 100)",
        unit: "s",
        lines: { "{{method}}": `topk(8, ${quantile(0.99, CALLS, "method")})` },
      },
      {
        title: "Open streams",
        unit: "short",
        lines: { "{{method}}": "sum by (method) (boxoffice_rpc_open_streams)" },
      },
    ],
  },
  {
    title: "Where does it queue?",
    panels: [
      {
        title: "Requests to reserve that wait",
        unit: "short",
        lines: { "{{instance}}": "boxoffice_reserve_queue_depth" },
      },
      {
        title: "Requests decided together",
        unit: "short",
        lines: {
          median: quantile(0.5, "boxoffice_reserve_batch_size"),
          "1 in 100": quantile(0.99, "boxoffice_reserve_batch_size"),
        },
      },
      {
        title: "A batch, from its begin to its commit",
        unit: "s",
        lines: {
          median: quantile(0.5, "boxoffice_reserve_decision_seconds"),
          "1 in 100": quantile(0.99, "boxoffice_reserve_decision_seconds"),
        },
      },
      {
        title: "Holds that ended and still keep their tickets",
        unit: "s",
        lines: { "the oldest": "max(boxoffice_expiry_lag_seconds)" },
      },
    ],
  },
  {
    title: "How far behind is what follows?",
    panels: [
      {
        title: "Oldest change that is not published",
        unit: "s",
        lines: {
          catalog: "max(boxoffice_catalog_outbox_lag_seconds)",
          reservation: "max(boxoffice_reservation_outbox_lag_seconds)",
          payment: "max(boxoffice_payment_outbox_lag_seconds)",
        },
      },
      {
        title: "Statistics behind the sale",
        unit: "s",
        lines: {
          median: quantile(0.5, "boxoffice_stats_lag_seconds"),
          "1 in 100": quantile(0.99, "boxoffice_stats_lag_seconds"),
        },
      },
      {
        title: "Differences that the last verification found",
        unit: "short",
        lines: { differences: "max(boxoffice_stats_verification_differences)" },
      },
      {
        title: "Requests that the gateway turned away",
        unit: "reqps",
        lines: {
          "too many for {{service}}":
            "sum by (service) (rate(boxoffice_gateway_shed_total[$__rate_interval]))",
          "too many of one client": "sum(rate(boxoffice_gateway_rate_limited_total[$__rate_interval]))",
        },
      },
    ],
  },
  {
    title: "What is it short of?",
    panels: [
      {
        title: "Connections to the database",
        unit: "short",
        lines: {
          "{{process}} busy": 'sum by (process) (boxoffice_database_connections{state="busy"})',
          "{{process}} waiting": "sum by (process) (boxoffice_database_waiting)",
        },
      },
      {
        title: "How late the event loop is (1 in 100)",
        unit: "s",
        lines: { "{{process}} {{instance}}": "nodejs_eventloop_lag_p99_seconds" },
      },
      {
        title: "Processor",
        unit: "percentunit",
        lines: { "{{process}} {{instance}}": "rate(process_cpu_seconds_total[$__rate_interval])" },
      },
      {
        title: "Ready",
        unit: "short",
        lines: { "{{process}}": "sum by (process) (boxoffice_ready)" },
      },
    ],
  },
];

const PANEL = { width: 6, height: 8 };

/** The dashboard as Grafana reads it. */
export function dashboard() {
  let id = 0;
  const panels = ROWS.flatMap(({ title, panels: inRow }, row) => {
    const y = row * (PANEL.height + 1);
    return [
      { id: ++id, type: "row", title, collapsed: false, panels: [], gridPos: { x: 0, y, w: 24, h: 1 } },
      ...inRow.map((panel, column) => graph(++id, panel, column * PANEL.width, y + 1)),
    ];
  });
  return {
    uid: "boxoffice",
    title: "Box office",
    tags: ["boxoffice"],
    timezone: "browser",
    schemaVersion: 39,
    refresh: "5s",
    time: { from: "now-30m", to: "now" },
    templating: {
      list: [{ name: "source", label: "Prometheus", type: "datasource", query: "prometheus", hide: 0 }],
    },
    panels,
  };
}

function graph(id: number, { title, unit, lines }: Panel, x: number, y: number) {
  const datasource = { type: "prometheus", uid: "$source" };
  return {
    id,
    type: "timeseries",
    title,
    datasource,
    gridPos: { x, y, w: PANEL.width, h: PANEL.height },
    fieldConfig: { defaults: { unit, min: 0, custom: { lineWidth: 1, fillOpacity: 10 } }, overrides: [] },
    options: {
      legend: { displayMode: "list", placement: "bottom" },
      tooltip: { mode: "multi", sort: "desc" },
    },
    targets: Object.entries(lines).map(([legendFormat, expr], index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      datasource,
      legendFormat,
      expr,
    })),
  };
}
