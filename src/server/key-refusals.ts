/** How the keys of an account are refused, whoever shows them and when (SPEC 6.4). */
import { Code, type KeyProblem } from '../../protocol/index.js';
import { refused } from './attempts.js';
import type { Who } from './audit.js';
import type { Context } from './context.js';
import type { Caller } from './handler.js';
import type { KeyRefusal, NotCompared } from './known-keys.js';
import type { Reply } from './reply.js';

/** Until a place is free, in seconds. */
const BUSY_WAIT = 1;

/** To the client it is 400, whatever the reason, and 429 where nobody looked; the log has it. */
export function refuseKeys(
  context: Context,
  peer: Caller,
  attempt: 'registration' | 'keys',
  who: Who | undefined,
  key: KeyProblem | KeyRefusal | NotCompared,
  reply: Reply,
): void {
  if (key === 'busy') {
    refused(context, peer, 'too many', who);
    reply.fail(Code.limited, BUSY_WAIT);
    return;
  }
  refused(context, peer, attempt, who, { key });
  reply.fail(Code.malformed);
}
