/** mcod: a code by mail, for whoever has shown the words (SPEC 6.5). */
import { Code, PASS_WINDOW_MS, structs } from '../../../protocol/index.js';
import { SecondFactor, type Account } from '../../store/store.js';
import type { Context } from '../context.js';
import { detailsOf } from '../details.js';
import { failed, shutOut } from '../attempts.js';
import { hasWords } from '../factors.js';
import type { Caller, Handler } from '../handler.js';
import { sendCode, type Sent } from '../mailing.js';
import { isSame } from '../new-keys.js';

type Outcome = Sent | { readonly code: typeof Code.authentication | typeof Code.conflict; readonly wait: number };

export const send: Handler<typeof structs.mcod> = async (context, peer, { words }, reply, request) => {
  const { login } = peer;
  const begun = login ? login.account : peer.account;
  if (!begun) throw new Error('mcod: there is no account');
  const { code, wait } = await outcome(context, peer, begun, words);
  if (code !== Code.mailed) {
    if (login) peer.become('open');
    reply.fail(code, wait);
    return;
  }
  if (login) peer.become('words', PASS_WINDOW_MS);
  login?.transcript.add(request.bytes);
  const answer = reply.progress(structs.answer, { wait: 0 }, code);
  login?.transcript.add(answer);
};

/** By the account as it is now: address and factor may be others than when the login began. @param begun as it was then */
async function outcome(context: Context, peer: Caller, begun: Account, words: Uint8Array): Promise<Outcome> {
  const wait = shutOut(context, peer);
  if (wait > 0) return { code: Code.limited, wait };
  const account = await context.store.accountByUid(begun.uid);
  /* What a login proved so far has to hold still. A session proved all of it: here its words alone are looked at. */
  const holds = peer.login ? isSame(account, begun) : account !== undefined;
  if (!account || !holds || !hasWords(context, account, words)) {
    failed(context, peer, holds ? 'words' : 'password', begun);
    return { code: Code.authentication, wait: 0 };
  }
  const { email } = detailsOf(context, account);
  if (account.security.factor !== SecondFactor.mail || email === '') return { code: Code.conflict, wait: 0 };
  return sendCode(context, { uid: account.uid, email }, peer.source, true);
}
