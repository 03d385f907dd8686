/** 2fa, recovery: a code besides password and words. */
import type { Command } from 'commander';
import { Exit, type AccountView, type Client } from '../../client/index.js';
import { askCode, codeField, withCode } from './codes.js';
import { adder, type Perform } from './commands.js';
import { mistake } from './failure.js';
import { qrText, qrWidth } from '../wording/qr.js';
import { withClient, type Run } from './run.js';

const names: Readonly<Record<AccountView['factor'], string>> = {
  none: 'off',
  totp: 'on: codes of an authenticator',
  mail: 'on: codes by mail',
};

function status(run: Run): Promise<Exit> {
  return withClient(run, 'needed', async (client) => {
    const { factor, codes, email } = await client.call('account', {});
    const left = `${String(codes)} recovery code${codes === 1 ? '' : 's'} left`;
    await run.output.print({ type: '2fa', factor, codes, email }, `second factor ${names[factor]}; ${left}`);
    if (factor === 'none') await run.output.say('to turn it on: cadenas 2fa enable');
    return Exit.done;
  });
}

function enable(run: Run, email: string | boolean | undefined): Promise<Exit> {
  return withClient(run, 'needed', async (client) => {
    await setUp(run, client, email === undefined ? 'totp' : 'mail', typeof email === 'string' ? email : undefined);
    return Exit.done;
  });
}

/** From its beginning to the first code that counts. */
export async function setUp(run: Run, client: Client, kind: 'totp' | 'mail', email: string | undefined): Promise<void> {
  needsTerminal(run);
  const to = email === undefined ? {} : { email };
  const begun = await withCode(run, (code) => client.call('factor-begin', { kind, ...to, ...codeField(code) }));
  if (begun.kind === 'totp') await showSecret(run, begun.secret, begun.uri);
  const question = begun.kind === 'totp' ? 'Its code now: ' : 'Code that came by mail: ';
  const { codes } = await confirmed(run, client, question);
  await run.output.print({ type: '2fa', factor: kind }, `second factor ${names[kind]}`);
  await showCodes(run, codes);
}

/** Somebody has to see the secret and to answer it. */
export function needsTerminal({ prompter }: Run): void {
  if (!prompter.possible)
    throw mistake('no-terminal', 'a second factor is set up on a terminal', 'run cadenas 2fa enable there');
}

async function showSecret(run: Run, secret: string, uri: string): Promise<void> {
  const { output } = run;
  const width = output.columns;
  const fits = width !== undefined && qrWidth(uri) <= width;
  const groups = (secret.match(/.{1,4}/g) ?? []).join(' ');
  const picture = fits ? `${qrText(uri, run.host.env['NO_COLOR'] === undefined)}\n` : '';
  await output.print(
    { type: 'totp', secret, uri },
    `${picture}Add it to your authenticator${fits ? ': scan the picture, or type the secret' : ' by its secret'}\n  ${groups}`,
  );
}

const TRIES = 3;

async function confirmed(run: Run, client: Client, question: string): Promise<{ readonly codes: readonly string[] }> {
  for (let left = TRIES; ;) {
    try {
      return await client.call('factor-confirm', { code: await askCode(run, question) });
    } catch (thrown) {
      const code = (thrown as { readonly code?: unknown }).code;
      if ((code !== 'wrong-code' && code !== 'bad-code') || --left === 0) throw thrown;
      run.prompter.tell(`${(thrown as Error).message}; once more`);
    }
  }
}

async function showCodes(run: Run, codes: readonly string[]): Promise<void> {
  const lines = codes.map((code) => `  ${code}`).join('\n');
  const what = 'Recovery codes, each counts once. Note them where nobody else finds them: they are shown this once.';
  await run.output.print({ type: 'recovery', codes }, `${what}\n${lines}`);
}

function disable(run: Run): Promise<Exit> {
  return withClient(run, 'needed', async (client) => {
    await withCode(run, (code) => client.call('factor-disable', codeField(code)));
    await run.output.print({ type: '2fa', factor: 'none' }, `second factor ${names.none}`);
    return Exit.done;
  });
}

function recovery(run: Run): Promise<Exit> {
  return withClient(run, 'needed', async (client) => {
    const { codes } = await withCode(run, (code) => client.call('recovery-codes', codeField(code)));
    await showCodes(run, codes);
    await run.output.say('codes from before count no more');
    return Exit.done;
  });
}

export function addSecurityCommands(program: Command, perform: Perform): void {
  const add = adder(program.command('2fa').description('a second factor: a code besides password and words'), perform);
  add('enable', 'turn it on: codes of an authenticator, or by mail', (run, _args, options) =>
    enable(run, options['email'] as string | boolean | undefined),
  ).option('--email [address]', 'codes by mail, to your address or to this one');
  add('disable', 'turn it off', (run) => disable(run));
  add('status', 'whether it is on, and how many recovery codes are left', (run) => status(run));
  adder(program, perform)('recovery', 'ten new recovery codes', (run) => recovery(run));
}
