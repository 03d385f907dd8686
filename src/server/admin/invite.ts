/** `cadenasd invite`: codes that let somebody in to register. A daemon that runs draws them; without one the keys do. */
import { typedCode } from '../../../protocol/index.js';
import { nodeSync } from '../../crypto/index.js';
import type { InvitationRow } from '../control/types.js';
import { Invitations } from '../invitations.js';
import { Daemon, type Asked } from './ask.js';
import { Exit, Mistake, Speech, type ExitCode } from './common.js';
import { decoySecret } from './secrets.js';

export interface InviteOptions {
  readonly keys: string;
  /** ms */
  readonly expires: number;
  readonly count: number;
}

export async function runInvite(options: Asked & InviteOptions): Promise<ExitCode> {
  const { expires, count } = options;
  const speech = new Speech(options);
  const tell = ({ code, ends }: InvitationRow): void => {
    const until = new Date(ends).toISOString().replace(/:00\.000Z$/, 'Z');
    speech.say('invitation', { code, ends }, `${code}  counts once, until ${until}`);
  };
  const daemon = await reachable(options);
  if (!daemon) return drawFromKeys(options, tell);
  try {
    await daemon.ask('invite', { count, expires }, tell);
    return Exit.done;
  } finally {
    daemon.close();
  }
}

/** Who has the keys needs no daemon: one that may not be asked is as none. */
async function reachable(options: Asked): Promise<Daemon | undefined> {
  try {
    return await Daemon.find(options);
  } catch (error) {
    if (error instanceof Mistake && options.control === undefined) return undefined;
    throw error;
  }
}

function drawFromKeys(options: Asked & InviteOptions, tell: (row: InvitationRow) => void): ExitCode {
  const { network, keys, expires, count } = options;
  const secret = decoySecret(options);
  if (!secret)
    throw new Mistake(
      `no daemon answers, and there are no keys of the network ${network} in ${keys} — name their folder by --keys`,
    );
  const invitations = new Invitations(nodeSync, secret);
  secret.fill(0);
  for (let left = count; left > 0; left--) {
    const { code, ends } = invitations.draw(Date.now() + expires);
    tell({ code: typedCode(code), ends });
  }
  return Exit.done;
}
