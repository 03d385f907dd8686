import { chmodSync, cpSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a test hands to be undone at its end; tap's `t` is one. */
export interface Teardown {
  teardown(undo: () => unknown): void;
}

/** A folder that is gone with the test. */
export async function temporaryFolder(t: Teardown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cadenas-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A folder with all that is in it, their modes included: `cpSync` of Node 22 gives folders the usual one. */
export function copyTree(from: string, to: string): void {
  cpSync(from, to, { recursive: true });
  for (const path of ['', ...(readdirSync(from, { recursive: true }) as string[])])
    chmodSync(join(to, path), statSync(join(from, path)).mode & 0o777);
}

/** The project's root, seen from dist/test/support. */
export const root = new URL('../../../', import.meta.url).pathname;
