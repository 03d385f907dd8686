/** A strict reader of Prometheus' text format, version 0.0.4: what it does not know is an error. */

export interface Metric {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** value by the sample's name and labels, as they are written */
  readonly samples: ReadonlyMap<string, number>;
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABELS = String.raw`\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\}`;
const sample = new RegExp(`^(${NAME})(${LABELS})? (\\S+)$`);
const suffixes = { counter: [''], gauge: [''], histogram: ['_bucket', '_sum', '_count'] } as const;

/** @throws Error with the line that is wrong */
export function readPrometheus(text: string): Map<string, Metric> {
  const metrics = new Map<string, Metric & { samples: Map<string, number> }>();
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  let help: { name: string; text: string } | undefined;
  let current = '';
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, helped, words = ''] = new RegExp(`^# HELP (${NAME}) (.+)$`).exec(line) ?? [];
    const [, typed = '', type] = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line) ?? [];
    if (helped !== undefined) help = { name: helped, text: words };
    else if (type !== undefined) {
      if (help?.name !== typed || metrics.has(typed)) throw new Error(`no help before it, or twice: ${line}`);
      if (type === 'counter' && !typed.endsWith('_total')) throw new Error(`a counter is a total: ${line}`);
      metrics.set(typed, { type: type as Metric['type'], help: help.text, samples: new Map() });
      current = typed;
    } else readSample(line, current, metrics.get(current));
  }
  return metrics;
}

function readSample(line: string, of: string, metric: (Metric & { samples: Map<string, number> }) | undefined): void {
  const [, name, labels = '', value = ''] = sample.exec(line) ?? [];
  const number = value === '+Inf' ? Infinity : Number(value);
  if (!metric || name === undefined || Number.isNaN(number)) throw new Error(`no sample: ${line}`);
  if (!suffixes[metric.type].some((suffix) => name === of + suffix)) throw new Error(`of another metric: ${line}`);
  if (metric.samples.has(name + labels)) throw new Error(`twice: ${line}`);
  metric.samples.set(name + labels, number);
}

/** @throws Error where there is no such sample */
export function valueOf(metrics: ReadonlyMap<string, Metric>, name: string, labels = ''): number {
  const value = metrics.get(name)?.samples.get(name + labels);
  if (value === undefined) throw new Error(`no ${name}${labels}`);
  return value;
}
