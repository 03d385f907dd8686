/** Sessions of an account that end before their time, and who may still speak for one. */
import { Code, samePublic } from '../../protocol/index.js';
import type { Context } from './context.js';
import type { Caller } from './handler.js';
import { idKey } from './keys.js';

type Shared = Pick<Context, 'store' | 'presence'>;
type Own = Pick<Caller, 'account' | 'uidKey' | 'grantHash'>;

/**
 * What changes an account or its sessions, in turn with logins: of this and a login that is being finished the second sees
 * what the first made.
 * @returns undefined, and nothing is done, where another login has taken the connection over, or it has ended
 */
export function whileReady<T>(
  { logins }: Pick<Context, 'logins'>,
  peer: Pick<Caller, 'state' | 'uidKey'>,
  work: () => Promise<T>,
): Promise<T | undefined> {
  return logins.inTurn(peer.uidKey, async () => (peer.state === 'ready' ? work() : undefined));
}

/** All but the caller's own: their grants stand for nothing any more, and a connection that is not the caller's ends. */
export async function endOthers(context: Shared, peer: Own): Promise<void> {
  const online = context.presence.get(peer.uidKey);
  if (online && !Object.is(online, peer)) online.close(Code.authentication);
  await revokeGrants(context, peer.account.uid, peer.grantHash);
}

/** All of the user's. The connection first: that needs no disk. @param why what the connection is told */
export async function endSessions(
  context: Shared,
  uid: Uint8Array,
  why: typeof Code.authentication | typeof Code.forbidden = Code.authentication,
): Promise<void> {
  const online = context.presence.get(idKey(uid));
  online?.close(why);
  await online?.saved;
  await revokeGrants(context, uid);
}

async function revokeGrants({ store }: Pick<Context, 'store'>, uid: Uint8Array, except?: Uint8Array): Promise<void> {
  for (const { hash } of await store.grants(uid))
    if (!except || !samePublic(hash, except)) await store.revokeGrant(uid, hash);
}
