/** register, login, logout, whoami, status, and the background process of a login. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { toName } from '../../../protocol/index.js';
import {
  begunOtherwise,
  checkApplication,
  checkSecrets,
  ClientError,
  error,
  Exit,
  type Client,
  type Secrets,
  type StatusView,
  type Trouble,
} from '../../client/index.js';
import { givenCode, withCode } from './codes.js';
import { newWords } from './compose.js';
import { toClientError } from './failure.js';
import { lastingText, untilText, spoken } from '../wording/people.js';
import { plainLine } from '../../plain/plain.js';
import { secretsOf, tell, withClient, type Run } from './run.js';
import { needsTerminal, setUp } from './second-factor.js';
import { askNewSecrets, withInvitation } from './secrets.js';
import { serverText } from './settings.js';

/** Descriptors of the background process: its secrets come in on one, how its login went goes out on the other. */
const SECRETS_FD = 3;
const REPORT_FD = 4;
/** Logging out ends the background process within this, in ms. */
const LOGOUT_WAIT_MS = 5_000;

/** What `register` tells besides the secrets, as the options have it. */
export interface Told {
  readonly invitation?: string;
  readonly fullName?: string;
  readonly email?: string;
}

/** @param secondFactor goes on to set one up */
export async function register(run: Run, typed: string, told: Told, secondFactor: boolean): Promise<Exit> {
  const name = toName(typed);
  if (name === undefined) throw error('bad-name', typed);
  if (secondFactor) needsTerminal(run);
  const application = { ...told, ...(run.prompter.possible ? { askCode: mailedCode(run, told.email ?? '') } : {}) };
  checkApplication(application);
  await freeProfile(run, name);
  const given = await askNewSecrets(run.given, run.prompter);
  if (given.words === undefined && (await run.profile.unfinished()) === name) throw begunOtherwise(name, 'wrong-words');
  const drawn = given.words === undefined ? newWords() : undefined;
  const secrets = { password: given.password, words: given.words ?? drawn ?? '' };
  checkSecrets(secrets);
  /* Before the daemon is asked: with its answer lost, nothing but these words opens the account. */
  const shown = drawn ?? (run.prompter.possible ? secrets.words : undefined);
  const note = 'note them now: nobody can give them to you again';
  if (drawn !== undefined)
    await run.output.print({ type: 'words', words: drawn }, `your three words: ${plainLine(drawn)}\n${note}`);
  else if (shown !== undefined) await run.output.say(`your three words: ${plainLine(shown)}\n${note}`);
  const opened = await withInvitation(told.invitation ?? given.invitation, run.prompter, (code) =>
    run.profile.register(name, secrets, code === undefined ? application : { ...application, invitation: code }),
  );
  try {
    const { uid, network } = await opened.client.call('status', {});
    const { output } = run;
    await output.print(
      {
        type: 'registered',
        name,
        uid,
        network,
        profile: run.profile.name,
        ...(drawn === undefined ? {} : { words: drawn }),
      },
      `registered as @${name} on network ${plainLine(network)}`,
    );
    if (secondFactor) await setUp(run, opened.client, 'totp', undefined);
    await output.say('next: cadenas login, then cadenas add @somebody');
  } finally {
    await opened.close();
  }
  return Exit.done;
}

function mailedCode({ prompter }: Run, email: string): (again: boolean) => Promise<string> {
  return async (again) => {
    const asked = again ? 'That is not the code. Once more: ' : `A code was sent to ${plainLine(email)}; type it: `;
    try {
      return await prompter.visible(asked);
    } finally {
      prompter.close();
    }
  };
}

/** Before anybody types secrets for nothing. */
export async function freeProfile(run: Run, name: string): Promise<void> {
  try {
    const known = await run.profile.identity();
    throw error('registered', known.name);
  } catch (thrown) {
    if (!(thrown instanceof ClientError && thrown.code === 'no-profile')) throw thrown;
  }
  const begun = await run.profile.unfinished();
  if (begun !== undefined && begun !== name) throw error('registration-begun', begun);
}

/** What the background process tells its parent about the login. */
type Report = { readonly name: string; readonly ends: number } | { readonly trouble: Trouble };

export async function login(run: Run): Promise<Exit> {
  await run.profile.identity();
  const owner = await run.profile.remote();
  if (owner) {
    try {
      const { name, ends, session, trouble } = await owner.client.call('status', {});
      await sayLogin(run, name, ends, session === 'online' ? 'already' : 'apart');
      return await tell(run, session === 'online' ? undefined : trouble);
    } finally {
      await owner.close();
    }
  }
  const secrets = await secretsOf(run)();
  const report = await withCode(run, async (code) => {
    const answer = await startAgent(run, { ...secrets, ...(code === undefined ? {} : { code }) });
    if ('trouble' in answer) throw new ClientError(answer.trouble);
    return answer;
  });
  await sayLogin(run, report.name, report.ends, 'now');
  return Exit.done;
}

/** @param how apart: the process that owns the profile runs, without a connection */
async function sayLogin(run: Run, name: string, ends: number, how: 'now' | 'already' | 'apart'): Promise<void> {
  const human = {
    now: `logged in as @${name} ${lastingText(ends, Date.now())}`,
    already: `already logged in as @${name} ${untilText(ends, Date.now())}`,
    apart: `another command of @${name} is running already, but it is not connected`,
  }[how];
  await run.output.print({ type: 'login', name, ends, already: how !== 'now' }, human);
}

/** Starts this program again, detached; the secrets go through a pipe. */
async function startAgent(run: Run, secrets: Secrets & { readonly code?: string }): Promise<Report> {
  const { server, home, profile, allowInvalidCert, disableSsl } = run.options;
  const [program = process.execPath, ...first] = run.host.self;
  /* All that it needs, so that it does not matter which file it would find. */
  const args = [...first, 'agent', '--no-config', '--profile', profile, '--home', home, '--server', serverText(server)];
  if (allowInvalidCert) args.push('--allow-invalid-cert');
  if (disableSsl) args.push('--disable-ssl');
  args.push('--secrets-fd', String(SECRETS_FD));
  const child = spawn(program, args, {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const failed = once(child, 'error').then(([thrown]) => {
    throw thrown;
  });
  failed.catch(() => undefined); // thrown by the race below, unless the report came first
  const [, , , pipe, report] = child.stdio as unknown as [null, null, null, Writable, Readable];
  pipe.on('error', () => undefined); // a child that ended early says why, or nothing, on the other pipe
  pipe.end(JSON.stringify(secrets));
  const stop = (): void => {
    child.kill();
  };
  run.host.signal.addEventListener('abort', stop, { once: true });
  const text = await Promise.race([readAll(report), failed]);
  run.host.signal.removeEventListener('abort', stop);
  child.unref();
  try {
    return JSON.parse(text) as Report;
  } catch {
    /* It ended before it could say anything. */
    throw new ClientError({
      code: 'agent',
      message: 'the background process of the login ended at once',
      hint: 'run cadenas receive --debug to see why',
      exit: Exit.unexpected,
    });
  }
}

async function readAll(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** The hidden command: owns the profile until logout or the end of the session. */
export async function agent(run: Run): Promise<Exit> {
  const report = createWriteStream('', { fd: REPORT_FD });
  report.on('error', () => undefined); // a parent that does not listen any more needs no answer
  const answer = async (what: Report): Promise<void> => {
    await new Promise<void>((resolve) => {
      report.end(JSON.stringify(what), resolve);
    });
  };
  try {
    const opened = await run.profile.open(secretsOf(run), true);
    try {
      await opened.core?.connect(undefined, await givenCode(run));
      const { name, ends } = await opened.client.call('status', {});
      const over = untilEnded(opened.client, ends, run.host.signal);
      await answer({ name, ends });
      if (opened.core) await over;
    } finally {
      await opened.close();
    }
    return Exit.done;
  } catch (thrown) {
    await answer({ trouble: toClientError(thrown).trouble });
    return Exit.unexpected;
  }
}

/** @param ends ms since 1970: the session's end, should the daemon not be there to say it */
export function untilEnded(client: Client, ends: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(0, ends - Date.now()));
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    client.on((event) => {
      if (event.type === 'ended') done();
    });
    signal.addEventListener('abort', done, { once: true });
  });
}

export async function logout(run: Run): Promise<Exit> {
  const { name } = await run.profile.identity();
  const owner = await run.profile.remote();
  if (!owner) {
    await run.output.print({ type: 'logout', name, was: false }, `@${name} was not logged in`);
    return Exit.done;
  }
  try {
    const over = untilEnded(owner.client, Date.now() + LOGOUT_WAIT_MS, run.host.signal);
    await owner.client.call('logout', {});
    await over;
  } finally {
    await owner.close();
  }
  await run.output.print({ type: 'logout', name, was: true }, `@${name} is logged out`);
  return Exit.done;
}

export async function whoami(run: Run): Promise<Exit> {
  const { name, uid, network } = await run.profile.identity();
  const owner = await run.profile.remote();
  await owner?.close();
  const loggedIn = owner !== undefined;
  await run.output.print(
    { type: 'whoami', name, uid, network, profile: run.profile.name, loggedIn },
    `@${name} on network ${plainLine(network)}, profile ${run.profile.name}${loggedIn ? '' : ' (not logged in)'}`,
  );
  return Exit.done;
}

export function status(run: Run): Promise<Exit> {
  return withClient(run, 'wanted', async (client, offline) => {
    const view = await client.call('status', {});
    await run.output.print({ type: 'status', ...view }, statusLines(view));
    return offline ? offline.exit : Exit.done;
  });
}

function statusLines(view: StatusView): string {
  const connection =
    view.session === 'online'
      ? `connected to ${view.server}`
      : `not connected to ${view.server}: ${view.trouble?.message ?? view.session}`;
  return [
    `@${view.name} on network ${plainLine(view.network)}`,
    `your keys ${spoken(view.fingerprint)}`,
    plainLine(connection),
    view.session === 'online' && view.ends > 0 ? `session ${untilText(view.ends, Date.now())}` : 'no session',
    `${String(view.unread)} unread, ${String(view.waiting)} waiting to be sent, ${String(view.contacts)} in the contact book`,
  ].join('\n');
}
