/** `cadenasd invite`: codes that let somebody in to register. Beside a running daemon and without one: nothing is written. */
import { typedCode } from '../../../protocol/index.js';
import { nodeSync } from '../../crypto/index.js';
import { Invitations } from '../invitations.js';
import { Exit, Mistake, Speech, type ExitCode } from './common.js';
import { decoySecret } from './secrets.js';

export interface InviteOptions {
  readonly network: string;
  readonly keys: string;
  readonly json?: boolean;
  /** ms */
  readonly expires: number;
  readonly count: number;
}

export function runInvite(options: InviteOptions): ExitCode {
  const { network, keys, expires, count } = options;
  const secret = decoySecret(options);
  if (!secret)
    throw new Mistake(`there are no keys of the network ${network} in ${keys} — name their folder by --keys`);
  const invitations = new Invitations(nodeSync, secret);
  secret.fill(0);
  const speech = new Speech(options);
  for (let left = count; left > 0; left--) {
    const { code, ends } = invitations.draw(Date.now() + expires);
    const typed = typedCode(code);
    const until = new Date(ends).toISOString().replace(/:00\.000Z$/, 'Z');
    speech.say('invitation', { code: typed, ends }, `${typed}  counts once, until ${until}`);
  }
  return Exit.done;
}
