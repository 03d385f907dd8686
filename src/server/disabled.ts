/** Accounts that their operator has disabled: they stay, and nobody logs in (SPEC 6.15). */
import { Code } from '../../protocol/index.js';
import type { Account } from '../store/store.js';
import { refused } from './attempts.js';
import type { Context } from './context.js';
import { withSecurity } from './factors.js';
import type { Caller } from './handler.js';
import { idKey } from './keys.js';
import type { Reply } from './reply.js';
import { endSessions } from './sessions.js';

/**
 * Durable when it resolves; whoever is logged in is told and cut off. In turn with logins: one that is being finished is
 * cut off too, or finds the account disabled.
 * @returns false where it was disabled already; its sessions end then, too
 * @throws UnknownId where there is no such account
 */
export async function disable(
  context: Pick<Context, 'store' | 'presence' | 'logins'>,
  uid: Uint8Array,
): Promise<boolean> {
  const { store, logins } = context;
  return logins.inTurn(idKey(uid), async () => {
    const changed = await store.changeAccount(uid, (account) =>
      account.security.disabled ? undefined : withSecurity(account, { disabled: true }),
    );
    await endSessions(context, uid, Code.forbidden);
    return changed !== undefined;
  });
}

/**
 * Durable when it resolves: who has keys and secrets can log in again.
 * @returns false where it was not disabled
 * @throws UnknownId where there is no such account
 */
export async function enable({ store, logins }: Pick<Context, 'store' | 'logins'>, uid: Uint8Array): Promise<boolean> {
  return logins.inTurn(idKey(uid), async () => {
    const changed = await store.changeAccount(uid, (account) =>
      account.security.disabled ? withSecurity(account, { disabled: false }) : undefined,
    );
    return changed !== undefined;
  });
}

/** Whoever proved all that a login or recovery asks for is told. It is no guess: their source is not shut out for it. */
export function turnAway(context: Context, peer: Caller, account: Account, reply: Reply): void {
  peer.become('open');
  refused(context, peer, 'disabled', account);
  reply.fail(Code.forbidden);
}
