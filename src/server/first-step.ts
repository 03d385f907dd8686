/** What the first steps of a login and of a recovery have in common (SPEC 6.5, 6.12): how often, and at what pace. */
import { Code, RANDOM } from '../../protocol/index.js';
import type { Account, Attempts } from '../store/store.js';
import { refused, shutOut } from './attempts.js';
import type { Context } from './context.js';
import type { Caller } from './handler.js';
import { idKey } from './keys.js';
import { ATTEMPT_WAIT_MAX_MS, ATTEMPT_WAIT_MS, FREE_ATTEMPTS, LOGINS_PER_CONNECTION } from './limits.js';
import { pace } from './pace.js';
import type { Reply } from './reply.js';

export interface Prepared {
  /** undefined: the answer is a decoy's */
  readonly account: Account | undefined;
  /** seconds for which the account takes no attempt; 0: this one counts */
  readonly wait: number;
}

/**
 * Lets the step be prepared, unless there are too many: on the connection, of the source, or at once.
 * @param prepare gives undefined for what is malformed, whatever the name
 * @returns undefined where it is answered already
 */
export async function firstStep<T extends Prepared>(
  context: Context,
  peer: Caller,
  reply: Reply,
  prepare: () => Promise<T | undefined>,
): Promise<T | undefined> {
  if (++peer.loginsTried > LOGINS_PER_CONNECTION) {
    refused(context, peer, 'too many');
    peer.refuse('logins');
    return undefined;
  }
  peer.become('authenticating');
  const arrived = performance.now();
  const refuse = (code: Code, wait = 0): undefined => {
    peer.become('open');
    reply.fail(code, wait);
  };
  const tooMany = (wait: number, account?: Account): undefined => {
    refused(context, peer, 'too many', account);
    return refuse(Code.limited, wait);
  };
  const limited = shutOut(context, peer) || (await context.budgets.take('sourceLogins', peer.source));
  if (limited > 0) return tooMany(limited);
  const place = await context.logins.within(peer.source, async () => ({ prepared: await prepare() }));
  await pace(arrived);
  if (!place) return tooMany(1);
  const { prepared } = place;
  if (!prepared) return refuse(Code.malformed);
  return prepared.wait > 0 ? tooMany(prepared.wait, prepared.account) : prepared;
}

/**
 * Counts the attempt, durably before anything of the account leaves; a decoy waits for the disk too.
 * @returns the seconds to wait where there were too many
 */
export function count(context: Context, account: Account | undefined): Promise<number> {
  return account ? countFor(context, account) : countNobody(context);
}

function countFor({ store, logins, budgets, now }: Context, account: Account): Promise<number> {
  const key = idKey(account.uid);
  return logins.inTurn(key, async () => {
    const often = await budgets.take('logins', key);
    if (often > 0) return often;
    const wait = waitFor(await store.attempts(account.uid), now());
    if (wait > 0) return Math.ceil(wait / 1000);
    await store.countAttempt(account.uid, now());
    return 0;
  });
}

/** A record of nothing that anybody sends, gone in four minutes. */
async function countNobody({ store, sync, now }: Context): Promise<number> {
  await store.rememberHello(sync.random(RANDOM), now());
  return 0;
}

function waitFor({ count, last }: Attempts, now: number): number {
  if (count < FREE_ATTEMPTS) return 0;
  const pause = Math.min(ATTEMPT_WAIT_MS * 2 ** Math.min(count - FREE_ATTEMPTS, 20), ATTEMPT_WAIT_MAX_MS);
  return Math.max(0, last + pause - now);
}
