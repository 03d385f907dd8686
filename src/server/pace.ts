/** Answers that must not tell by their time what was found. */
import { PACE_MS } from './limits.js';

/** Leaves at a multiple of 25 ms after the request, whatever the work took (SPEC 6.5, 9.4). */
export async function pace(arrived: number): Promise<void> {
  const taken = performance.now() - arrived;
  const left = Math.ceil(taken / PACE_MS) * PACE_MS - taken;
  await new Promise((resolve) => setTimeout(resolve, left));
}
