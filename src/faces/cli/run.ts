/** What every command of this face is made of. */
import { ClientError, Exit, type Client, type Secrets, type Trouble } from '../../client/index.js';
import type { Opened, Profile } from './compose.js';
import { toClientError } from './failure.js';
import type { Host } from './host.js';
import type { GlobalOptions } from './options.js';
import type { Output } from './output.js';
import { Prompter } from './prompt.js';
import { connectCore } from './codes.js';
import { askSecrets, type Given } from './secrets.js';
import type { ClientSettings } from './settings.js';

export interface Run {
  readonly host: Host;
  readonly options: GlobalOptions;
  /** the same and the rest, with where each was said */
  readonly settings: ClientSettings;
  readonly output: Output;
  readonly profile: Profile;
  readonly prompter: Prompter;
  /** the secrets of --secrets-file or --secrets-fd */
  readonly given: Given;
}

export function secretsOf(run: Run): () => Promise<Secrets> {
  return () => askSecrets(run.given, run.prompter);
}

/** Logs in and takes in what waits; what went wrong, for a command that can do without. */
async function goOnline(run: Run, opened: Opened): Promise<ClientError | undefined> {
  try {
    if (opened.core) await connectCore(run, opened.core);
    await opened.client.call('drained', {});
    return undefined;
  } catch (thrown) {
    return toClientError(thrown);
  }
}

/** none: only what is on this disk. wanted: the command does what it can without. */
export type Network = 'none' | 'wanted' | 'needed';

/**
 * Runs the work with a client, and closes whatever was opened for it.
 * @param work gets why there is no session, where there is none
 * @param secrets of the profile, asked where no process owns it
 */
export async function withClient(
  run: Run,
  network: Network,
  work: (client: Client, offline: ClientError | undefined) => Promise<Exit>,
  secrets = secretsOf(run),
): Promise<Exit> {
  const opened = await run.profile.open(secrets, false);
  try {
    const offline = network === 'none' ? undefined : await goOnline(run, opened);
    if (offline && network === 'needed') throw offline;
    return await work(opened.client, offline);
  } finally {
    await opened.close();
  }
}

/** What a command could not finish now is told like an error, and decides the exit. */
export async function tell(run: Run, trouble: Trouble | undefined, before = ''): Promise<Exit> {
  if (!trouble) return Exit.done;
  await run.output.trouble({ ...trouble, message: `${before}${trouble.message}` });
  return trouble.exit;
}
