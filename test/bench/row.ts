/** What a measurement gives: one line of the table. */
export interface Row {
  readonly what: string;
  /** over what it went: a transport, or the store alone */
  readonly link: string;
  readonly figures: Readonly<Record<string, number>>;
}

export const round = (value: number, digits = 1): number => Number(value.toFixed(digits));

/** Progress, for who watches. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** @param sorted the smallest first */
export function percentile(sorted: readonly number[], part: number): number {
  return sorted[Math.floor(part * (sorted.length - 1))] ?? 0;
}

export const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
