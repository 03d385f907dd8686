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

/** The project's root, seen from dist/test/support. */
export const root = new URL('../../../', import.meta.url).pathname;
