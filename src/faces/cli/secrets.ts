/** Secrets from a prompt, a private file or a descriptor; never from arguments or the environment. */
import { constants, createReadStream, fstatSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { checkRecoveryCode, checkSecrets, ClientError, type Secrets } from '../../client/index.js';
import { mistake } from './failure.js';
import type { Prompter } from './prompt.js';
import { toRoom } from './room-names.js';

/** Secrets are short; a longer source is the wrong file. In bytes. */
const SECRETS_MAX = 64 * 1024;

export interface SecretsFrom {
  readonly file?: string | undefined;
  readonly descriptor?: number | undefined;
}

/** What a file or descriptor gave. A session that runs already needs no password of the profile. */
interface GivenSecrets extends Partial<Secrets> {
  /** what to call the source in an error */
  readonly where: string;
  /** code of an invitation to the network */
  readonly invitation?: string;
  /** passwords by the names of rooms */
  readonly rooms: ReadonlyMap<string, string>;
  /** of the second factor */
  readonly code?: string;
  /** of the account, from now on */
  readonly next: Partial<Secrets>;
  /** of an exported account */
  readonly passphrase?: string;
  /** a recovery code */
  readonly recovery?: string;
}

/** For a new profile; words may be missing where they are to be drawn. */
export type NewSecrets = Pick<Secrets, 'password'> & Partial<Pick<Secrets, 'words'>> & { readonly invitation?: string };

const SHAPE = 'write {"password": "…", "words": "three words here"}';
const ROOMS_SHAPE = 'write "rooms": {"name": "password"}';

function parse(text: string, where: string): GivenSecrets {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    /* The parser's own message may quote the secret. */
    throw mistake('secrets', `${where} holds no JSON`, SHAPE);
  }
  const {
    rooms,
    new: next,
    export: passphrase,
    code,
    invitation,
    recovery,
    ...present
  } = (value ?? {}) as Record<string, unknown>;
  if (!isTextOrMissing(passphrase))
    throw mistake('secrets', `"export" in ${where} is no text`, 'write "export": "passphrase"');
  if (!isTextOrMissing(code)) throw mistake('secrets', `"code" in ${where} is no text`, 'write "code": "123456"');
  if (!isTextOrMissing(recovery))
    throw mistake('secrets', `"recovery" in ${where} is no text`, 'write "recovery": "xxxx-xxxx-xxxx-xxxx"');
  if (!isTextOrMissing(invitation))
    throw mistake('secrets', `"invitation" in ${where} is no text`, 'write "invitation": "CODE"');
  return {
    where,
    rooms: rooms === undefined ? new Map<string, string>() : parseRooms(rooms, where),
    next: parsePair(next ?? {}, `"new" in ${where}`),
    ...parsePair(present, where),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(code === undefined ? {} : { code }),
    ...(invitation === undefined ? {} : { invitation }),
    ...(recovery === undefined ? {} : { recovery }),
  };
}

function parsePair(value: unknown, where: string): Partial<Secrets> {
  const { password, words } = (typeof value === 'object' ? value : {}) as Record<string, unknown>;
  if (typeof value !== 'object' || !isTextOrMissing(password) || !isTextOrMissing(words))
    throw mistake('secrets', `${where} holds no password`, SHAPE);
  return { ...(password === undefined ? {} : { password }), ...(words === undefined ? {} : { words }) };
}

function isTextOrMissing(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function parseRooms(value: unknown, where: string): ReadonlyMap<string, string> {
  const parsed = new Map<string, string>();
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw mistake('secrets', `"rooms" in ${where} is no object`, ROOMS_SHAPE);
  for (const [typed, password] of Object.entries(value)) {
    const room = toRoom(typed);
    /* What stands there is not shown: somebody may have written the password first. */
    if (room === undefined || typeof password !== 'string')
      throw mistake('secrets', `"rooms" in ${where} holds something else than names and passwords`, ROOMS_SHAPE);
    if (parsed.has(room)) throw mistake('secrets', `"rooms" in ${where} names #${room} twice`, 'leave one of them');
    parsed.set(room, password);
  }
  return parsed;
}

function passwordOf({ password, where }: GivenSecrets): string {
  if (password === undefined) throw mistake('secrets', `${where} holds no password`, SHAPE);
  return password;
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
    /* Node's own descriptors, which are none of these, would not bear it. */
    const stats = fstatSync(descriptor);
    if (![stats.isFile(), stats.isFIFO(), stats.isSocket(), stats.isCharacterDevice()].includes(true))
      throw notOpen(descriptor);
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
    throw code === 'EBADF' ? notOpen(descriptor) : thrown;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function notOpen(descriptor: number): ClientError {
  return mistake('secrets', `descriptor ${String(descriptor)} is not open`, 'check --secrets-fd');
}

/** undefined where neither option was given. */
export type Given = () => Promise<GivenSecrets | undefined>;

/** Reads at the first call, and keeps it: a descriptor gives its secrets once, and a room may need them after the profile. */
export function secretsFrom(from: SecretsFrom): Given {
  let read: Promise<GivenSecrets | undefined> | undefined;
  return () => (read ??= readSecrets(from));
}

async function readSecrets(from: SecretsFrom): Promise<GivenSecrets | undefined> {
  /* A descriptor is of this line; a file may have been set for all. */
  if (from.descriptor !== undefined)
    return parse(await readDescriptor(from.descriptor), `descriptor ${String(from.descriptor)}`);
  return from.file === undefined ? undefined : parse(await readPrivate(from.file), from.file);
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
export async function askSecrets(source: Given, prompter: Prompter): Promise<Secrets> {
  const given = await source();
  if (given) {
    const password = passwordOf(given);
    if (given.words === undefined) throw mistake('secrets', 'the words are missing', 'add "words": "three words here"');
    return { password, words: given.words };
  }
  needsTerminal(prompter);
  try {
    return { password: await prompter.hidden('Password: '), words: await prompter.hidden('Three words: ') };
  } finally {
    prompter.close();
  }
}

/** Of an account whose keys are lost: the password, a recovery code, and new words, or none where they are to be drawn. */
export async function askRecovery(source: Given, prompter: Prompter): Promise<NewSecrets & { readonly code: string }> {
  const given = await source();
  if (given) {
    if (given.recovery === undefined)
      throw mistake('secrets', 'the recovery code is missing', 'add "recovery": "xxxx-xxxx-xxxx-xxxx"');
    const words = given.words === undefined ? {} : { words: given.words };
    return { password: passwordOf(given), code: given.recovery, ...words };
  }
  needsTerminal(prompter);
  try {
    const password = await prompter.hidden('Password of the account: ');
    const code = await untilGood(prompter, async () => {
      const typed = await prompter.hidden('Recovery code: ');
      checkRecoveryCode(typed);
      return typed;
    });
    const words = await newTypedWords(prompter, WORDS_OR_NONE);
    return { password, code, ...(words === '' ? {} : { words }) };
  } finally {
    prompter.close();
  }
}

/** Stands in for the secret that is not being checked. */
const SOUND: Secrets = { password: 'long enough', words: 'any three words' };
const TRIES = 3;

/** Asks again after a mistake that can be mended by typing. */
async function untilGood<T>(prompter: Prompter, ask: () => Promise<T>): Promise<T> {
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
const MENDED: ReadonlySet<string> = new Set(['weak-password', 'bad-words', 'bad-recovery-code', 'password-differs']);

/** Does it, and asks for a code of an invitation where one is needed, or was mistyped, and there is a terminal. */
export async function withInvitation<T>(
  given: string | undefined,
  prompter: Prompter,
  work: (code: string | undefined) => Promise<T>,
): Promise<T> {
  let code = given;
  for (let left = TRIES; ;) {
    try {
      return await work(code);
    } catch (thrown) {
      const mended = thrown instanceof ClientError && INVITING.has(thrown.code) && prompter.possible;
      if (!mended || left-- === 0) throw thrown;
      prompter.tell(thrown.message);
      try {
        code = await prompter.visible('Code of your invitation: ');
      } finally {
        prompter.close();
      }
    }
  }
}
const INVITING: ReadonlySet<string> = new Set(['invitation-needed', 'invitation-refused', 'bad-invitation']);

/** Typed twice. @param mayBeEmpty just Enter means something */
export function newPassword(prompter: Prompter, question: string, mayBeEmpty = false): Promise<string> {
  return untilGood(prompter, async () => {
    const typed = await prompter.hidden(question);
    if (typed === '' && mayBeEmpty) return typed;
    checkSecrets({ password: typed, words: SOUND.words });
    if ((await prompter.hidden('The same again: ')) !== typed)
      throw mistake('password-differs', 'the two passwords differ', 'start again');
    return typed;
  });
}

/** For a new profile: the password twice, and words that are chosen or left to be drawn. */
export async function askNewSecrets(source: Given, prompter: Prompter): Promise<NewSecrets> {
  const given = await source();
  if (given) {
    const { words, invitation } = given;
    return {
      password: passwordOf(given),
      ...(words === undefined ? {} : { words }),
      ...(invitation === undefined ? {} : { invitation }),
    };
  }
  needsTerminal(prompter);
  try {
    const password = await newPassword(prompter, NEW_PASSWORD);
    const words = await newTypedWords(prompter, WORDS_OR_NONE);
    return { password, ...(words === '' ? {} : { words }) };
  } finally {
    prompter.close();
  }
}
const WORDS_OR_NONE = 'Three words (Enter: three are drawn for you): ';
const NEW_PASSWORD = 'New password (8 characters or more): ';

/** Empty: they are to be drawn. */
function newTypedWords(prompter: Prompter, question: string): Promise<string> {
  return untilGood(prompter, async () => {
    const typed = (await prompter.hidden(question)).trim();
    if (typed !== '') checkSecrets({ password: SOUND.password, words: typed });
    return typed;
  });
}

/** In the place of the present one; typed twice. */
export async function askNextPassword(source: Given, prompter: Prompter): Promise<string> {
  const given = await source();
  if (given?.next.password !== undefined) return given.next.password;
  if (given && !prompter.possible)
    throw mistake('secrets', `${given.where} holds no new password`, 'add "new": {"password": "…"}');
  needsTerminal(prompter);
  return asked(prompter, () => newPassword(prompter, NEW_PASSWORD));
}

/** In the place of the present ones; undefined where they are to be drawn. */
export async function askNextWords(source: Given, prompter: Prompter): Promise<string | undefined> {
  const given = await source();
  if (given?.next.words !== undefined || !prompter.possible) return given?.next.words;
  const question = 'Three new words (Enter: three are drawn for you): ';
  const typed = await asked(prompter, () => newTypedWords(prompter, question));
  return typed === '' ? undefined : typed;
}

/** For what is exported; undefined where one is to be drawn. */
export async function askNewPassphrase(source: Given, prompter: Prompter): Promise<string | undefined> {
  const given = await source();
  if (given?.passphrase !== undefined || !prompter.possible) return given?.passphrase;
  const question = 'Passphrase of the file (8 characters or more; Enter: five words are drawn for you): ';
  const typed = await asked(prompter, () => newPassword(prompter, question, true));
  return typed === '' ? undefined : typed;
}

/** Of what was exported. */
export async function askPassphrase(source: Given, prompter: Prompter): Promise<string> {
  const given = await source();
  if (given?.passphrase !== undefined) return given.passphrase;
  if (given && !prompter.possible)
    throw mistake('secrets', `${given.where} holds no passphrase`, 'add "export": "passphrase"');
  if (!prompter.possible)
    throw mistake(
      'no-secrets',
      'the passphrase is needed and there is no terminal to ask on',
      'give --secrets-file F or --secrets-fd N with "export": "passphrase"',
    );
  return asked(prompter, () => prompter.hidden('Passphrase of the file: '));
}

async function asked<T>(prompter: Prompter, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } finally {
    prompter.close();
  }
}
