import { type Metric, type Registry, register } from "prom-client";

export type QuickHistogramOptions<Label extends string> = {
  name: string;
  help: string;
  labels: readonly Label[];
  /** Upper bounds, ascending. */
  buckets: readonly number[];
  registry?: Registry;
};

/** Takes one observation. */
export type Observe = (value: number) => void;

/**
 * A Prometheus histogram for what happens tens of thousands of times a second. prom-client's own builds a key out of
 * the labels at every observation, which costs one to three microseconds; here a series is looked up once, and an
 * observation costs some tens of nanoseconds and no garbage.
 */
export class QuickHistogram<Label extends string> {
  readonly #options: QuickHistogramOptions<Label>;
  readonly #series: Series<Label>[] = [];

  constructor(options: QuickHistogramOptions<Label>) {
    this.#options = options;
    const { name, help, registry = register } = options;
    // All that a registry asks of a metric.
    const metric = {
      name,
      help,
      type: "histogram",
      get: async () => this.#read(),
      reset: () => this.#reset(),
    };
    registry.registerMetric(metric as unknown as Metric);
  }

  /** The series with these labels. Call it once for each: every call begins a new one. */
  series(labels: Record<Label, string>): Observe {
    const { buckets } = this.#options;
    const counts = new Float64Array(buckets.length + 1);
    const series = { labels, counts, sum: 0 };
    this.#series.push(series);
    return (value) => {
      let index = 0;
      while (index < buckets.length && value > (buckets[index] as number)) index++;
      counts[index] = (counts[index] as number) + 1;
      series.sum += value;
    };
  }

  #reset(): void {
    for (const series of this.#series) {
      series.counts.fill(0);
      series.sum = 0;
    }
  }

  #read() {
    const { name, help, buckets } = this.#options;
    const values = this.#series.flatMap(({ labels, counts, sum }) => {
      let count = 0;
      const cumulated = [...counts].map((one, index) => {
        count += one;
        const le = index < buckets.length ? buckets[index] : "+Inf";
        return { labels: { ...labels, le }, value: count, metricName: `${name}_bucket` };
      });
      return [
        ...cumulated,
        { labels, value: sum, metricName: `${name}_sum` },
        { labels, value: count, metricName: `${name}_count` },
      ];
    });
    return { name, help, type: "histogram", values };
  }
}

type Series<Label extends string> = { labels: Record<Label, string>; counts: Float64Array; sum: number };
