/** Small plots: a value a column, eight heights. */

const heights = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** All values, the highest of each column's, from the oldest at the left; the highest of all is the full height. */
export function plot(values: readonly number[], width: number): string {
  const columns = Math.min(width, values.length);
  if (columns <= 0) return ''.padEnd(Math.max(0, width));
  const highest = Array.from({ length: columns }, (_, n) => {
    const [from, to] = [n, n + 1].map((at) => Math.floor((at * values.length) / columns));
    return Math.max(...values.slice(from, to));
  });
  const most = Math.max(...highest);
  const line = highest.map((value) => heights[most > 0 ? Math.round(((heights.length - 1) * value) / most) : 0] ?? '');
  return line.join('').padStart(width);
}
