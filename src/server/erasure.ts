/** How an account goes, whoever wants it: its owner, or the operator. */
import type { Account } from '../store/store.js';
import type { Context } from './context.js';
import { idKey } from './keys.js';

type Shared = Pick<Context, 'store' | 'rooms' | 'knownKeys' | 'routes'>;

/**
 * The account, the rooms that it owns, and all that is kept for it. In turn with its logins, when its sessions have ended.
 * @returns false where there is no such account any more
 */
export async function eraseAccount({ store, rooms, knownKeys }: Shared, me: Account): Promise<boolean> {
  /* Members are told, which the store does not do; a crash from here on leaves an account that is deleted once more. */
  for (const id of await store.roomsOf(me.uid)) await rooms.inTurn(id, async (room) => room && rooms.destroy(room));
  await rooms.dismiss(me.uid);
  const deleted = await store.deleteAccount(me.uid);
  if (deleted) await knownKeys.release(me);
  return deleted;
}

/** What others still know of it. Behind `eraseAccount`, out of the turn. */
export async function forgetAccount({ routes, rooms }: Shared, uid: Uint8Array): Promise<void> {
  routes.forget(idKey(uid));
  await rooms.reconsider(uid);
}
