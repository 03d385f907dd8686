/** Whether two samples may come from one distribution (Kolmogorov and Smirnov, two samples). */

/** The largest distance between the two cumulative distributions, 0 to 1. */
export function distance(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [[...a].sort(ascending), [...b].sort(ascending)];
  let [i, j, largest] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const value = Math.min(x[i] ?? 0, y[j] ?? 0);
    while (i < x.length && (x[i] ?? 0) <= value) i++;
    while (j < y.length && (y[j] ?? 0) <= value) j++;
    largest = Math.max(largest, Math.abs(i / x.length - j / y.length));
  }
  return largest;
}

/** The distance that samples of one distribution pass with this probability alone. */
export function critical(n: number, m: number, probability: number): number {
  return Math.sqrt((-Math.log(probability / 2) / 2) * ((n + m) / (n * m)));
}

export function quantile(of: readonly number[], q: number): number {
  return [...of].sort(ascending)[Math.min(of.length - 1, Math.floor(q * of.length))] ?? NaN;
}

const ascending = (a: number, b: number): number => a - b;
