/** Who is connected comes before who connects: the loop before the workers, where both want one processor. */
import { getPriority, setPriority } from 'node:os';

/** By how much: a thread beside the loop has some four tenths of its share. */
const NICE = 4;
const LAST = 19;

/**
 * Lowers the priority of the thread that calls this, as far as the system allows. On Linux alone: elsewhere a priority is the
 * whole process's.
 */
export function yieldToOthers(): void {
  if (process.platform !== 'linux') return;
  try {
    setPriority(0, Math.min(getPriority(0) + NICE, LAST));
  } catch (error) {
    /* A sandbox that forbids it costs evenness, nothing else. */
    const { code } = (error as { info?: { code?: string } }).info ?? {};
    if (code !== 'EPERM' && code !== 'EACCES') throw error;
  }
}
