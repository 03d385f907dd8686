/**
 * Loaded into a daemon that is measured (`--import`): tells what its heap holds, as lines of JSON in the file that
 * PROBE_FILE names. It looks once in PROBE_MS, which costs the daemon a few µs each time.
 */
import { appendFile } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

export interface Probed {
  /** ms since 1970 */
  readonly at: number;
  /** bytes */
  readonly heapUsed: number;
  readonly external: number;
}

const { PROBE_FILE: file, PROBE_MS: ms } = process.env;

if (isMainThread && file !== undefined) {
  const look = (): void => {
    const { heapUsed, external } = process.memoryUsage();
    const probed: Probed = { at: Date.now(), heapUsed, external };
    appendFile(file, `${JSON.stringify(probed)}\n`, (error) => {
      if (error) throw error;
    });
  };
  setInterval(look, Number(ms)).unref();
}
