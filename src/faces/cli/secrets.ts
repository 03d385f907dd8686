/** Secrets from a prompt, a private file or a descriptor; never from arguments or the environment. */
import { constants, createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { checkSecrets, ClientError, type Secrets } from '../../client/index.js';
import { mistake } from './failure.js';
import type { Prompter } from './prompt.js';

/** Secrets are short; a longer source is the wrong file. In bytes. */
const SECRETS_MAX = 64 * 1024;

export interface SecretsFrom {
  readonly file?: string | undefined;
  readonly descriptor?: number | undefined;
}

/** What a file or descriptor gave; words may be missing where they are to be made. */
export type GivenSecrets = Pick<Secrets, 'password'> & Partial<Pick<Secrets, 'words'>>;

function parse(text: string, where: string): GivenSecrets {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    /* The parser's own message may quote the secret. */
    throw mistake('secrets', `${where} holds no JSON`, 'write {"password": "…", "words": "three words here"}');
  }
  const { password, words } = (value ?? {}) as Record<string, unknown>;
  if (typeof password !== 'string' || (words !== undefined && typeof words !== 'string'))
    throw mistake('secrets', `${where} holds no password`, 'write {"password": "…", "words": "three words here"}');
  return { password, ...(words === undefined ? {} : { words }) };
}

async function readPrivate(path: string): Promise<string> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw mistake('secrets', `${path} is a symbolic link`, 'name the file itself');
    throw mistake('secrets', `${path} can't be read (${code ?? 'unknown'})`, 'check --secrets-file');
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw mistake('secrets', `${path} is not a file`, 'check --secrets-file');
    if (stats.uid !== process.getuid?.())
      throw mistake('secrets', `${path} belongs to another user`, 'use your own file');
    if ((stats.mode & 0o077) !== 0) throw mistake('secrets', `${path} is open to other users`, `run chmod 600 ${path}`);
    if (stats.size > SECRETS_MAX) throw mistake('secrets', `${path} is too large`, 'check --secrets-file');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function readDescriptor(descriptor: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of createReadStream('', {
      fd: descriptor,
      autoClose: descriptor > 2,
    }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > SECRETS_MAX) throw mistake('secrets', 'the secrets are too long', 'check --secrets-fd');
      chunks.push(chunk);
    }
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'EBADF')
      throw mistake('secrets', `descriptor ${String(descriptor)} is not open`, 'check --secrets-fd');
    throw thrown;
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** undefined where neither option was given. */
export async function givenSecrets(from: SecretsFrom): Promise<GivenSecrets | undefined> {
  if (from.file !== undefined) return parse(await readPrivate(from.file), from.file);
  if (from.descriptor !== undefined)
    return parse(await readDescriptor(from.descriptor), `descriptor ${String(from.descriptor)}`);
  return undefined;
}

function needsTerminal(prompter: Prompter): void {
  if (!prompter.possible)
    throw mistake(
      'no-secrets',
      'the secrets are needed and there is no terminal to ask on',
      'log in first (cadenas login), or give --secrets-file F or --secrets-fd N',
    );
}

/** For a profile that exists. */
export async function askSecrets(from: SecretsFrom, prompter: Prompter): Promise<Secrets> {
  const given = await givenSecrets(from);
  if (given) {
    if (given.words === undefined) throw mistake('secrets', 'the words are missing', 'add "words": "three words here"');
    return { password: given.password, words: given.words };
  }
  needsTerminal(prompter);
  try {
    return { password: await prompter.hidden('Password: '), words: await prompter.hidden('Three words: ') };
  } finally {
    prompter.close();
  }
}

/** Stands in for the secret that is not being checked. */
const SOUND: Secrets = { password: 'long enough', words: 'any three words' };
const TRIES = 3;

/** Asks again after a mistake that can be mended by typing. */
async function untilGood(prompter: Prompter, ask: () => Promise<string>): Promise<string> {
  for (let left = TRIES; ;) {
    try {
      return await ask();
    } catch (thrown) {
      const mended = thrown instanceof ClientError && MENDED.has(thrown.code);
      if (!mended || --left === 0) throw thrown;
      prompter.tell(`${thrown.message}; once more`);
    }
  }
}
const MENDED: ReadonlySet<string> = new Set(['weak-password', 'bad-words', 'password-differs']);

/** For a new profile: the password twice, and words that are chosen or left to be drawn. */
export async function askNewSecrets(from: SecretsFrom, prompter: Prompter): Promise<GivenSecrets> {
  const given = await givenSecrets(from);
  if (given) return given;
  needsTerminal(prompter);
  try {
    const password = await untilGood(prompter, async () => {
      const typed = await prompter.hidden('New password (8 characters or more): ');
      checkSecrets({ password: typed, words: SOUND.words });
      if ((await prompter.hidden('The same again: ')) !== typed)
        throw mistake('password-differs', 'the two passwords differ', 'start again');
      return typed;
    });
    const words = await untilGood(prompter, async () => {
      const typed = (await prompter.hidden('Three words (Enter: three are drawn for you): ')).trim();
      if (typed !== '') checkSecrets({ password: SOUND.password, words: typed });
      return typed;
    });
    return { password, ...(words === '' ? {} : { words }) };
  } finally {
    prompter.close();
  }
}
