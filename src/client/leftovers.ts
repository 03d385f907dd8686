/** What a profile leaves: of an account that is deleted, of an erasure or an import that was cut off. */
import { DELETION_FILE, IDENTITY_FILE, KEYS_FILE, NEXT_FILE } from './identity.js';
import { dropState } from './journal.js';
import type { ClientStorage } from './ports.js';

/**
 * Removes an account from a profile, or what is left of one: a state under another key would make a new one unreadable.
 * The identity goes when the rest is gone, and `deletion` behind it: cut off, a deletion can be asked for again or the
 * profile is empty.
 */
export async function clearProfile(storage: ClientStorage): Promise<void> {
  await dropState(storage);
  for (const file of [NEXT_FILE, KEYS_FILE, IDENTITY_FILE, DELETION_FILE]) await storage.remove(file);
}
