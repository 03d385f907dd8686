/**
 * The store over a disk that fails, is cut short and loses its power: seeded schedules, each compared with what
 * was acknowledged. SCHEDULES=n runs n of them, SEED=s begins with that seed, TRACE=1 tells all that
 * happens; a failure names the command that replays it exactly.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { test } from 'tap';
import { newSeed } from '../support/random.js';
import type { ScheduleFailure, ScheduleTask } from '../support/schedule-worker.js';

const DEFAULT_SCHEDULES = 4000;
/** So many failures of a thread are enough. */
const MOST_FAILURES = 5;
/** A schedule that takes so long, in ms, turns in a circle. */
const PATIENCE_MS = 20_000;

type Share = Omit<ScheduleTask, 'progress'>;

/** Runs these in a thread. */
async function schedules(share: Share): Promise<readonly ScheduleFailure[]> {
  const progress = new SharedArrayBuffer(4);
  const current = new Int32Array(progress);
  const task: ScheduleTask = { ...share, progress };
  const worker = new Worker(new URL('../support/schedule-worker.js', import.meta.url), { workerData: task });
  const stopped = new AbortController();
  const { signal } = stopped;
  try {
    const failures = once(worker, 'message', { signal }).then(([found]) => found as ScheduleFailure[]);
    return await Promise.race([failures, circling(current, share.first, signal)]);
  } finally {
    stopped.abort();
    await worker.terminate();
  }
}

/** Resolves when the same schedule runs for too long: it may never give its thread back. */
async function circling(current: Int32Array, first: number, signal: AbortSignal): Promise<ScheduleFailure[]> {
  for (let last = -1; ;) {
    await setTimeout(PATIENCE_MS, undefined, { signal });
    const now = Atomics.load(current, 0);
    if (now === last) return [{ seed: first + now, wrong: 'it turns in a circle' }];
    last = now;
  }
}

test('what was acknowledged survives, once and in order', async (t) => {
  const first = newSeed();
  const count = Number(process.env['SCHEDULES'] ?? DEFAULT_SCHEDULES);
  const trace = process.env['TRACE'] !== undefined;
  const threads = trace ? 1 : Math.min(count, availableParallelism());
  const all = await Promise.all(
    Array.from({ length: threads }, (_, n) =>
      schedules({ first: first + n, end: first + count, step: threads, most: MOST_FAILURES, trace }),
    ),
  );
  const failures = all.flat().sort((a, b) => a.seed - b.seed);
  for (const { seed, wrong } of failures) {
    t.comment(`SEED=${seed} SCHEDULES=1 node dist/test/unit/store-crashes.test.js\n${wrong}`);
  }
  t.same(
    failures.map(({ seed }) => seed),
    [],
    `${count} schedules from SEED=${first} on`,
  );
});
