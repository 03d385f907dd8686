/** How soon a key is seen by whoever types it. */
import type { Screen } from '../support/screen.js';
import { percentile, round, sorted } from './row.js';

/** Letters of a line before it is begun anew. */
const LINE = 40;

/**
 * Types letters one after another, each when the one before is seen.
 * @param prompt of the conversation that is shown
 */
export async function typing(screen: Screen, prompt: string, seconds: number): Promise<Record<string, number>> {
  const times: number[] = [];
  let line = '';
  const isEmpty = (now: Screen): boolean => now.line(now.rows - 1).trimEnd() === prompt.trimEnd();
  screen.press('ctrl-u');
  await screen.until(isEmpty);
  for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
    const letter = String.fromCharCode(97 + (times.length % 26));
    line += letter;
    const begun = performance.now();
    screen.type(letter);
    await screen.sees(`${prompt}${line}`);
    times.push(performance.now() - begun);
    if (line.length < LINE) continue;
    screen.press('ctrl-u');
    line = '';
    await screen.until(isEmpty);
  }
  screen.press('ctrl-u');
  const all = sorted(times);
  return {
    'p50 ms': round(percentile(all, 0.5)),
    'p99 ms': round(percentile(all, 0.99)),
    'most ms': round(all.at(-1) ?? 0),
    keys: all.length,
  };
}
