import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { timeLabels } from "./time-labels.ts";

export type Series = {
  label: string;
  /** A colour of styles/tokens.css, such as "--good". */
  colour: string;
  values: readonly number[];
};

type ChartProps = {
  /** Read out instead of the picture. */
  summary: string;
  /** When each value begins, in seconds since 1970. */
  times: readonly number[];
  series: readonly Series[];
  locale: string;
  timeZone: string;
  formatValue(value: number): string;
};

const HEIGHT = 240;

/** Lines over time. Its colours follow the page's, in light and in dark. */
export function Chart(props: ChartProps) {
  const { summary, times, series, locale, timeZone } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const formatValue = useRef(props.formatValue);
  formatValue.current = props.formatValue;
  const latest = useRef<uPlot.AlignedData>([[]]);
  latest.current = [[...times], ...series.map(({ values }) => [...values])];
  const shape = JSON.stringify(series.map(({ label, colour }) => [label, colour]));

  // biome-ignore lint/correctness/useExhaustiveDependencies: the data comes by the effect below
  useEffect(() => {
    const element = frame.current;
    if (element === null) return;
    const ink = (name: string) => () => colourOf(element, name);
    const axis: uPlot.Axis = {
      stroke: ink("--muted"),
      grid: { stroke: ink("--line"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    };
    const created = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), timeZone),
        legend: { show: false },
        cursor: { drag: { x: false, y: false } },
        scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1)] } },
        axes: [
          { ...axis, values: (_, splits) => timeLabels(splits, locale, timeZone), space: 70 },
          {
            ...axis,
            size: 72,
            values: (_, splits) =>
              splits.map((value) => (Number.isInteger(value) ? formatValue.current(value) : "")),
          },
        ],
        series: [
          {},
          ...series.map(({ label, colour }) => ({
            label,
            stroke: ink(colour),
            width: 2,
            fill: () => `color-mix(in srgb, ${colourOf(element, colour)} 14%, transparent)`,
            points: { show: false },
          })),
        ],
      },
      latest.current,
      element,
    );
    plot.current = created;
    const resized = new ResizeObserver(() => created.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    const forget = onColoursChanged(() => created.redraw(false));
    return () => {
      forget();
      resized.disconnect();
      created.destroy();
    };
  }, [shape, locale, timeZone]);

  useEffect(() => {
    plot.current?.setData([[...times], ...series.map(({ values }) => [...values])]);
  }, [times, series]);

  return (
    <figure className="chart">
      <ul className="legend" aria-hidden="true">
        {series.map(({ label, colour }) => (
          <li key={label}>
            <span className="legend-mark" style={{ background: `var(${colour})` }} /> {label}
          </li>
        ))}
      </ul>
      <div ref={frame} role="img" aria-label={summary} />
    </figure>
  );
}

/** What a colour of the page is just now: a canvas does not know `light-dark()`. */
function colourOf(element: Element, name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function onColoursChanged(listener: () => void): () => void {
  const chosen = new MutationObserver(listener);
  chosen.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", listener);
  return () => {
    chosen.disconnect();
    system.removeEventListener("change", listener);
  };
}
