/** Who is there, once more: what changes an account asks for words and second factor as a login does (SPEC 6.8). */
import { Code } from '../../protocol/index.js';
import type { Account } from '../store/store.js';
import { failed, refused, shutOut } from './attempts.js';
import type { Context } from './context.js';
import { hasWords, spend, type Proof, type Spent } from './factors.js';
import type { Caller } from './handler.js';
import type { Reply } from './reply.js';

/** The account as it is now: it may have changed since the login. @throws Error where it was deleted meanwhile */
export async function present({ store }: Context, peer: Caller): Promise<Account> {
  const account = await store.accountByUid(peer.account.uid);
  if (!account) throw new Error('the account of a session is gone');
  return account;
}

/** The account, where words and second factor are its own; answered with 401 or 429 otherwise. A code is used up then. */
export async function proven(context: Context, peer: Caller, proof: Proof, reply: Reply): Promise<Account | undefined> {
  const wait = shutOut(context, peer);
  if (wait > 0) {
    reply.fail(Code.limited, wait);
    return undefined;
  }
  const account = await present(context, peer);
  const spent = hasWords(context, account, proof.words) && (await spend(context, account, proof));
  if (spent && spent.counts) return account;
  refuse(context, peer, spent, account, reply);
  return undefined;
}

/** @param spent what became of the code; false: the words were wrong already */
export function refuse(context: Context, peer: Caller, spent: Spent | false, account: Account, reply: Reply): void {
  if (spent && spent.wait > 0) {
    refused(context, peer, 'too many', account);
    reply.fail(Code.limited, spent.wait);
    return;
  }
  failed(context, peer, spent ? 'code' : 'words', account);
  reply.fail(Code.authentication);
}
