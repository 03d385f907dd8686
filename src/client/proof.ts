/** What a sensitive command carries besides its own: words and second factor, once more (SPEC 6.8). */
import { Code, structs } from '../../protocol/index.js';
import type { Reply } from './answers.js';
import { codeNeeded, error, type ClientError } from './errors.js';
import { refusal, unsent } from './login.js';
import { noFactor, readFactorCode, SecondFactor, type FactorCode } from './second-factor.js';
import type { Session } from './session.js';

/** The fields of the struct. */
export type Proof = FactorCode & { readonly words: Uint8Array };

/**
 * @param code as a person typed it; a code of the login does not count again
 * @throws ClientError `offline` or why else there is no session; `code-needed`, `mail-code-needed` (one was sent now), `bad-code`
 */
export async function proofFor(session: Session, code?: string): Promise<Proof> {
  const { link, proof: words } = session;
  if (!link || !words) throw session.trouble ?? error('offline');
  if (code !== undefined) return { words, ...readFactorCode(code) };
  if (session.factor === SecondFactor.none) return { words, ...noFactor };
  if (session.factor === SecondFactor.totp) throw codeNeeded(session.name, false);
  const reply = await link.request(structs.mcod, { words });
  throw reply.isError ? unsent(reply, session.name) : codeNeeded(session.name, true);
}

/** Why the daemon did not do it. @param what for a person, as in "the daemon refused …" */
export function proofRefusal(reply: Reply, session: Session, code: string | undefined, what: string): ClientError {
  /* The words opened this session: what is wrong is the code, or something changed elsewhere since. */
  if (reply.code === Code.authentication)
    return code === undefined ? error('proof-refused', session.name) : error('wrong-code');
  if (reply.code === Code.conflict) return error('refused', what, String(reply.code));
  return refusal(reply, session.name, what);
}
