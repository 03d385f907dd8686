/** verify: the safety number, and what a person decides by it. */
import { Exit, type Client, type SafetyView } from '../../client/index.js';
import { safetyCode } from '../../../protocol/index.js';
import { plainLine } from '../../plain/plain.js';
import { mistake } from './failure.js';
import { safetyText, spoken } from '../wording/people.js';
import { qrText, qrWidth } from '../wording/qr.js';
import { withClient, type Run } from './run.js';

/** What `verify` does besides showing the number. */
export interface Decision {
  readonly confirm: boolean;
  readonly reject: boolean;
  readonly qr: boolean;
  /** what the QR code of the other side says, or their digits */
  readonly compare: string | undefined;
}

export function verify(run: Run, name: string, { confirm, reject, qr, compare }: Decision): Promise<Exit> {
  if ([confirm, reject, qr, compare !== undefined].filter(Boolean).length > 1)
    throw mistake('usage', 'confirm, reject, qr and compare exclude each other', 'give one of them');
  /* What came meanwhile has to be in before somebody decides. */
  return withClient(run, 'wanted', async (client) => {
    if (confirm || compare !== undefined) await confirmed(run, client, name, compare);
    else if (reject) await rejected(run, client, name);
    else await shown(run, await client.call('verify', { name }), qr);
    return Exit.done;
  });
}

async function shown(run: Run, view: SafetyView, qr: boolean): Promise<void> {
  const who = `@${plainLine(view.name)}`;
  const former = view.former === undefined ? '' : spoken(view.former.slice(0, 16));
  const lines = [
    ...(view.changed
      ? [
          `WARNING: other keys came for ${who}: a new device of theirs, or somebody in between. Nothing is sent to them.`,
          `The fingerprint of the former keys begins ${former}, that of the new ones ${spoken(view.fingerprint.slice(0, 16))}.`,
        ]
      : []),
    `Safety number of you and ${who}${view.changed ? ', with the new keys' : ''}: ${view.verified ? 'verified' : 'not verified'}`,
    '',
    ...(qr ? [picture(run, safetyCode(view.number)), ''] : []),
    safetyText(view),
    '',
    `Compare it with what ${who} sees by verifying you, face to face or on the phone: digits or words, all of them.`,
    'Or one of you shows a QR code with --qr, and the other gives what it says to --compare.',
    ...howOn(view, who),
  ];
  const code = safetyCode(view.number);
  await run.output.print({ type: 'safety', ...view, code }, run.output.named(lines.join('\n')));
}

function picture(run: Run, code: string): string {
  const { columns } = run.output;
  if (columns !== undefined && qrWidth(code) > columns)
    throw mistake('narrow', 'the terminal is too narrow for the QR code', 'make it wider, or compare the digits');
  return qrText(code, columns !== undefined && run.host.env['NO_COLOR'] === undefined);
}

function howOn({ verified, changed }: SafetyView, who: string): string[] {
  if (verified) return [];
  const same = `The same: cadenas verify ${who} --confirm`;
  return changed ? [same, `Another: cadenas verify ${who} --reject, and tell your operator`] : [same];
}

async function confirmed(run: Run, client: Client, name: string, number: string | undefined): Promise<void> {
  const given = number === undefined ? {} : { number };
  const { again, ...view } = await client.call('confirm', { name, ...given });
  const who = `@${plainLine(view.name)}`;
  const lost = again === 0 ? '' : `; ${String(again)} of your texts were sealed for the former keys: send them again`;
  await run.output.print({ type: 'safety', ...view, again }, `verified ${who}${lost}`);
}

async function rejected(run: Run, client: Client, name: string): Promise<void> {
  const view = await client.call('reject', { name });
  await run.output.print({ type: 'safety', ...view }, `kept the former keys of @${plainLine(view.name)}`);
}
