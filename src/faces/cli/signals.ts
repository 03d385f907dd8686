/** SIGINT and SIGTERM end every command, within a bound. */
import { constants } from 'node:os';
import type { Run } from './run.js';

/** What is open gets this long to close, in ms. */
const CLOSE_MS = 2_000;
/** A command that ends itself at a signal gets this long for all of its end, in ms. */
const END_MS = 5_000;

/** As a shell says it: 130 after SIGINT, 143 after SIGTERM. */
export function signalExit(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/**
 * Runs the work to its end, or to a signal.
 * @param endsItself the work ends at the signal by itself, and its exit code stands
 * @returns the exit code of the work, or of the signal; then the work may still be under way
 */
export async function untilSignal(run: Run, work: (run: Run) => Promise<number>, endsItself: boolean): Promise<number> {
  const { signal } = run.host;
  const done = work(run);
  const stopped = aborted(signal);
  try {
    await Promise.race([done.catch(() => undefined), stopped.promise]); // `done` tells its failure below
    if (!signal.aborted) return await done;
    const byName = signalExit(signal.reason as NodeJS.Signals);
    if (endsItself) return await within(END_MS, done, byName);
    await within(CLOSE_MS, run.profile.close(), undefined);
    return byName;
  } finally {
    stopped.forget();
  }
}

function aborted(signal: AbortSignal): { readonly promise: Promise<void>; readonly forget: () => void } {
  let tell = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    tell = () => {
      resolve();
    };
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', tell, { once: true });
  });
  return {
    promise,
    forget: () => {
      signal.removeEventListener('abort', tell);
    },
  };
}

async function within<T>(ms: number, work: Promise<T>, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(resolve, ms, otherwise);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
