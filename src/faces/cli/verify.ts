/** verify: the safety number, and what a person decides by it. */
import { Exit, type Client, type SafetyView } from '../../client/index.js';
import { plainLine } from '../../plain/plain.js';
import { mistake } from './failure.js';
import { safetyText, spoken } from './format.js';
import { withClient, type Run } from './run.js';

export function verify(run: Run, name: string, confirm: boolean, reject: boolean): Promise<Exit> {
  if (confirm && reject) throw mistake('usage', 'confirm and reject exclude each other', 'give one of them');
  /* What came meanwhile has to be in before somebody decides. */
  return withClient(run, 'wanted', async (client) => {
    if (confirm) await confirmed(run, client, name);
    else if (reject) await rejected(run, client, name);
    else await shown(run, await client.call('verify', { name }));
    return Exit.done;
  });
}

async function shown(run: Run, view: SafetyView): Promise<void> {
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
    safetyText(view),
    '',
    `Compare it with what ${who} sees by verifying you, face to face or on the phone: digits or words, all of them.`,
    ...howOn(view, who),
  ];
  await run.output.print({ type: 'safety', ...view }, run.output.named(lines.join('\n')));
}

function howOn({ verified, changed }: SafetyView, who: string): string[] {
  if (verified) return [];
  const same = `The same: cadenas verify ${who} --confirm`;
  return changed ? [same, `Another: cadenas verify ${who} --reject, and tell your operator`] : [same];
}

async function confirmed(run: Run, client: Client, name: string): Promise<void> {
  const { again, ...view } = await client.call('confirm', { name });
  const who = `@${plainLine(view.name)}`;
  const lost = again === 0 ? '' : `; ${String(again)} of your texts were sealed for the former keys: send them again`;
  await run.output.print({ type: 'safety', ...view, again }, `verified ${who}${lost}`);
}

async function rejected(run: Run, client: Client, name: string): Promise<void> {
  const view = await client.call('reject', { name });
  await run.output.print({ type: 'safety', ...view }, `kept the former keys of @${plainLine(view.name)}`);
}
