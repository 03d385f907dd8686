/** Runs schedules in a thread of its own: tap watches every promise of its thread, which takes most of the time. */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { runSchedule, type Opener } from './store-schedule.js';

/** Seeds `first`, `first + step` and so on, below `end`. */
export interface ScheduleTask {
  readonly first: number;
  readonly end: number;
  readonly step: number;
  /** this many failures are enough */
  readonly most: number;
  readonly trace: boolean;
  /** an Int32Array: the number of the schedule that runs */
  readonly progress: SharedArrayBuffer;
}

export interface ScheduleFailure {
  readonly seed: number;
  readonly wrong: string;
}

const open: Opener = async (folder, disk, options) => {
  const store = await openJournalStore(folder, { ...options, files: disk });
  return { store, checkpoint: () => store.checkpoint() };
};

/** Timers of processes that died would keep their stores in memory for minutes. */
const timers: NodeJS.Timeout[] = [];
const setTimer = globalThis.setTimeout;
globalThis.setTimeout = Object.assign((...given: Parameters<typeof setTimer>) => {
  const timer = setTimer(...given);
  timers.push(timer);
  return timer;
}, setTimer);

const { first, end, step, most, trace, progress } = workerData as ScheduleTask;
const current = new Int32Array(progress);
const failures: ScheduleFailure[] = [];
for (let seed = first; seed < end && failures.length < most; seed += step) {
  Atomics.store(current, 0, seed - first);
  const wrong = await runSchedule(seed, open, trace ? (line) => writeSync(1, `${line}\n`) : undefined);
  for (const timer of timers.splice(0)) clearTimeout(timer);
  if (wrong !== undefined) failures.push({ seed, wrong });
}
parentPort?.postMessage(failures);
