/** Codes by mail: who may have how many, what the mail says, and what became of it. */
import { Code, hex, utf8 } from '../../protocol/index.js';
import type { Budget } from './budgets.js';
import type { Context } from './context.js';
import type { Addressee } from './mail-codes.js';

export interface Sent {
  /** mailed; notFound: this network sends no mail; limited; unavailable: the mail server did not take it */
  readonly code: typeof Code.mailed | typeof Code.notFound | typeof Code.limited | typeof Code.unavailable;
  /** seconds until it is worth trying again */
  readonly wait: number;
}

/** A budget, and whose. */
type Due = readonly [Budget, string];

type Shared = Pick<Context, 'network' | 'mailer' | 'mailCodes' | 'budgets' | 'refusals' | 'counts' | 'sync'>;

/**
 * Sends a code that `mailCodes.spend(to, code)` takes; one that was sent before for the same is void.
 * @param source of whoever asks for it
 * @param isOwn the account has shown before that it reads this address, and whoever asks has shown its words
 */
export async function sendCode(context: Shared, to: Addressee, source: string, isOwn: boolean): Promise<Sent> {
  const { network, mailer, mailCodes, refusals, counts } = context;
  if (!mailer) return { code: Code.notFound, wait: 0 };
  const wait = await take(context, to, source, isOwn);
  if (wait > 0) return { code: Code.limited, wait };
  try {
    await mailer.send(to.email, subject(network), textOf(network, mailCodes.draw(to)));
    counts.mails++;
    return { code: Code.mailed, wait: 0 };
  } catch (error) {
    counts.mailsFailed++;
    refusals.trouble('a mail was not sent', error);
    return { code: Code.unavailable, wait: 0 };
  }
}

/**
 * 0, or the seconds to wait. What goes to an address that nobody has shown to be theirs draws from budgets of its own: so
 * strangers who use these up, at one mailbox, from one source or in all, keep nobody from logging in.
 */
async function take({ budgets, sync }: Shared, to: Addressee, source: string, isOwn: boolean): Promise<number> {
  const account = hex(to.uid);
  const mailbox = hex(sync.sha256(utf8(to.email.toLowerCase())));
  const own: readonly Due[] = [
    ['mailsOfSource', `own ${source}`],
    ['mailsToOne', `own ${account}`],
  ];
  const strange: readonly Due[] = [
    ['mailsOfSource', `strange ${source}`],
    ['mailsToOne', `account ${account}`],
    ['mailsToOne', `address ${mailbox}`],
    ['strangeMails', 'all'],
  ];
  const all: Due = ['mails', 'all'];
  for (const [budget, key] of [...(isOwn ? own : strange), all]) {
    const wait = await budgets.take(budget, key);
    if (wait > 0) return wait;
  }
  return 0;
}

const subject = (network: string): string => `Your code for the network ${network}`;

/** Whom it is for is not said: a mailbox may be read by others. */
function textOf(network: string, code: string): string {
  return [
    `Your code for the Cadenas network ${network}:`,
    '',
    `    ${code}`,
    '',
    'It counts once, within ten minutes. Type it where you asked for it, and tell it to',
    'nobody: nobody of this network will ever ask you for it.',
    'If you did not ask for a code, there is nothing for you to do.',
    '',
  ].join('\n');
}
