import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { LabelsOf, MetricName, MetricOf, MetricSpec } from './metric-list.js';
import { metricList } from './metric-list.js';

const PREFIX = 'sluice_';

/** The metrics of one service, and Node's own. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  /** Histograms with labels that have been seen. */
  readonly #begun = new Set<string>();

  /** @param names of those that the service has */
  constructor(names: readonly MetricName[]) {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of names) this.#add(name, metricList[name]);
  }

  /** Shows a count from 0 on: of one that is seen first at another number, no rate knows what came before. */
  begin<Name extends MetricOf<'counter' | 'histogram'>>(name: Name, labels: LabelsOf<Name>): void {
    this.#counters.get(name)?.inc(labels, 0);
    if (this.#histograms.has(name) && this.#isNew(name, labels)) this.#histograms.get(name)?.zero(labels);
  }

  count<Name extends MetricOf<'counter'>>(name: Name, labels: LabelsOf<Name>, by = 1): void {
    this.#counters.get(name)?.inc(labels, by);
  }

  set<Name extends MetricOf<'gauge'>>(name: Name, labels: LabelsOf<Name>, value: number): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  /** Forgets all values of a gauge: those of queues and states that are no more. */
  reset(name: MetricOf<'gauge'>): void {
    this.#gauges.get(name)?.reset();
  }

  /** @param times that the value came */
  observe<Name extends MetricOf<'histogram'>>(
    name: Name,
    labels: LabelsOf<Name>,
    value: number,
    times = 1,
  ): void {
    const histogram = this.#histograms.get(name);
    if (times > 0) this.#isNew(name, labels);
    for (let time = 0; time < times; time += 1) histogram?.observe(labels, value);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** As Prometheus reads it. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Whether a histogram with these labels is seen for the first time. */
  #isNew<Name extends MetricName>(name: Name, labels: LabelsOf<Name>): boolean {
    const key = [name, ...Object.entries(labels).flat()].join(' ');
    if (this.#begun.has(key)) return false;
    this.#begun.add(key);
    return true;
  }

  #add(name: MetricName, { kind, help, labels, buckets }: MetricSpec): void {
    const common = { name: PREFIX + name, help, labelNames: [...labels], registers: [this.#registry] };
    if (kind === 'counter') this.#counters.set(name, new Counter(common));
    else if (kind === 'gauge') this.#gauges.set(name, new Gauge(common));
    else this.#histograms.set(name, new Histogram({ ...common, buckets: [...(buckets ?? [])] }));
  }
}
