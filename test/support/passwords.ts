import { passwordClient } from '../../src/crypto/index.js';
import type { PasswordClient } from '../../protocol/index.js';

/**
 * OPAQUE whose passwords are stretched next to not at all: a daemon can't tell, and stretching is tested with the
 * providers and by every client that runs as a program. Elsewhere it would only cost time.
 */
export function hurriedPasswords(): Promise<PasswordClient> {
  return passwordClient({ memory: 8, iterations: 1, parallelism: 1 });
}
