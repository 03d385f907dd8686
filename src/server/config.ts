/** The daemon's configuration file, TOML: what may stand in it, and what is wrong with it in one line. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { fromUtf8, readEmail, utf8 } from '../../protocol/index.js';
import { whoMayRegister, type WhoMayRegister } from './context.js';
import { limitRange, limitTable, type LimitName, type Limits } from './limits.js';
import { nearest } from './nearest.js';

/** Something in the file that the operator can mend: one line. */
export class ConfigMistake extends Error {
  override readonly name = 'ConfigMistake';
}

const mailTls = ['tls', 'starttls', 'none'] as const;
type MailTls = (typeof mailTls)[number];

export interface MailConfig {
  readonly host: string;
  readonly port: number;
  readonly tls: MailTls;
  readonly user: string | undefined;
  readonly passwordFile: string | undefined;
  readonly caFile: string | undefined;
  readonly sender: string;
  /** seconds */
  readonly timeout: number;
}

export interface Config {
  readonly registration: WhoMayRegister;
  /** undefined: the network sends no mail */
  readonly mail: MailConfig | undefined;
  readonly limits: Partial<Limits>;
}

export const noConfig: Config = { registration: 'open', mail: undefined, limits: {} };

type Value = string | number;

/** What a key takes: one of some words, a number of a range, or a text that passes a test. */
type Kind =
  | { readonly among: readonly string[] }
  | { readonly from: number; readonly to: number }
  | { readonly text: string; readonly fits: (text: string) => boolean };

type Rule = Kind & {
  readonly what: string;
  /** undefined: none; a table that is there must have a key that is `needed` */
  readonly value?: Value;
  readonly needed?: true;
};

const line = (text: string): boolean => text.length > 0 && text.length <= 1_024 && !/\p{Cc}/u.test(text);
const path = { text: 'the path of a file', fits: line };
const host = (text: string): boolean => isIP(text) !== 0 || /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$/.test(text);
const address = (text: string): boolean => text !== '' && readEmail(utf8(text)) !== undefined;

const limits = Object.fromEntries(
  Object.entries(limitTable).map(([name, { value, what }]): [string, Rule] => {
    const [from, to] = limitRange(name as LimitName);
    return [name, { from, to, value, what }];
  }),
);

/** Every table and key: what makes the errors, the help and what the daemon gets. */
export const configTable: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  registration: {
    who: {
      among: whoMayRegister,
      value: 'open',
      what: 'who may register: everybody, with a code of cadenasd invite, nobody',
    },
  },
  mail: {
    host: { text: 'a host name or an address', fits: host, needed: true, what: 'the mail server that takes codes' },
    port: { from: 1, to: 65_535, what: 'its port; 465, 587 or 25 where left out, as tls has it' },
    tls: { among: mailTls, value: 'tls', what: 'from the first byte, by STARTTLS, or none (to this machine alone)' },
    'ca-file': { ...path, what: 'PEM certificates to believe instead of the usual ones' },
    user: { text: 'a name', fits: line, what: 'name at the mail server' },
    'password-file': { ...path, what: 'file with the password, your own and 0600' },
    sender: { text: 'an address', fits: address, needed: true, what: 'address that mails are from' },
    timeout: { from: 1, to: 25, value: 15, what: 'seconds that a mail may take' },
  },
  limits,
};

const ports: Readonly<Record<MailTls, number>> = { tls: 465, starttls: 587, none: 25 };
/** In bytes. */
const FILE_MAX = 64 * 1024;

/** @throws ConfigMistake */
export function readConfig(file: string): Config {
  return parseConfig(contentOf(file), file);
}

function contentOf(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ConfigMistake(`${file} can't be read (${code ?? 'error'}) — check --config`);
  }
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw new ConfigMistake(`${file} is not a file — check --config`);
    if ((stats.mode & 0o002) !== 0)
      throw new ConfigMistake(`${file} can be written by anybody — close it with: chmod o-w ${file}`);
    if (stats.size > FILE_MAX) throw new ConfigMistake(`${file} is longer than 64 KiB — check --config`);
    const text = fromUtf8(readFileSync(descriptor));
    if (text === undefined) throw new ConfigMistake(`${file} is not UTF-8 — write it anew`);
    return text;
  } finally {
    closeSync(descriptor);
  }
}

/** @param file its name, for errors. @throws ConfigMistake */
export function parseConfig(text: string, file: string): Config {
  let top: Record<string, unknown>;
  try {
    top = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ''] = error.message.replace('Invalid TOML document: ', '').split('\n');
    throw new ConfigMistake(`${file}:${String(error.line)}: this is no TOML (${what}) — mend that line`);
  }
  return new Reading(text, file, top).config();
}

class Reading {
  readonly #text: string;
  readonly #file: string;
  readonly #tables = new Map<string, Readonly<Record<string, Value>>>();

  constructor(text: string, file: string, top: Readonly<Record<string, unknown>>) {
    this.#text = text;
    this.#file = file;
    for (const [table, content] of Object.entries(top)) this.#tables.set(table, this.#table(table, content));
  }

  config(): Config {
    const { who } = this.#whole('registration');
    return {
      registration: who as WhoMayRegister,
      mail: this.#tables.has('mail') ? this.#mail() : undefined,
      limits: this.#tables.get('limits') ?? {},
    };
  }

  #mail(): MailConfig {
    const of = this.#whole('mail');
    const text = (key: string): string | undefined => of[key] as string | undefined;
    const beside = (name: string | undefined) => name && resolve(dirname(this.#file), name);
    for (const [key, { needed }] of Object.entries(configTable['mail'] ?? {}))
      if (needed && of[key] === undefined) throw this.#mistake('mail', '', `[mail] has no ${key}`, 'add it');
    const [user, passwordFile] = [text('user'), text('password-file')];
    if ((user === undefined) !== (passwordFile === undefined))
      throw this.#mistake('mail', '', 'user and password-file go together', 'give both, or neither');
    const [server, tls] = [text('host') ?? '', text('tls') as MailTls];
    if (tls === 'none' && !isLoopback(server))
      throw this.#mistake('mail', 'tls', `mails to ${server} would go without TLS`, 'write "tls" or "starttls"');
    return {
      host: server,
      tls,
      port: (of['port'] as number | undefined) ?? ports[tls],
      user,
      passwordFile: beside(passwordFile),
      caFile: beside(text('ca-file')),
      sender: text('sender') ?? '',
      timeout: of['timeout'] as number,
    };
  }

  /** A table with the defaults of what it does not say. */
  #whole(table: string): Readonly<Record<string, Value | undefined>> {
    const rules = Object.entries(configTable[table] ?? {});
    return { ...Object.fromEntries(rules.map(([key, { value }]) => [key, value])), ...this.#tables.get(table) };
  }

  #table(table: string, content: unknown): Readonly<Record<string, Value>> {
    const rules = Object.hasOwn(configTable, table) ? configTable[table] : undefined;
    if (!rules) throw this.#unknown(table, '', table, Object.keys(configTable));
    /* A date is an object too, without a key of its own: it would pass for an empty table. */
    const isTable =
      typeof content === 'object' && content !== null && !(Array.isArray(content) || content instanceof Date);
    if (!isTable) throw this.#mistake(table, '', `${table} is a table`, `write [${table}] and its keys below`);
    const entries = Object.entries(content).map(([key, value]: [string, unknown]): [string, Value] => {
      const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
      if (!rule) throw this.#unknown(table, key, key, Object.keys(rules));
      return [key, this.#value(table, key, rule, value)];
    });
    return Object.fromEntries(entries);
  }

  #value(table: string, key: string, rule: Rule, value: unknown): Value {
    if ('from' in rule) {
      if (typeof value === 'number' && Number.isInteger(value) && value >= rule.from && value <= rule.to) return value;
    } else if (typeof value === 'string' && ('among' in rule ? rule.among.includes(value) : rule.fits(value)))
      return value;
    throw this.#mistake(table, key, `${key} in [${table}] can't be this`, `write ${meant(rule)}`);
  }

  #unknown(table: string, key: string, typed: string, known: readonly string[]): ConfigMistake {
    const near = nearest(typed, known);
    const what = key === '' ? `there is no table or key ${typed}` : `[${table}] has no ${typed}`;
    const advice = near === undefined ? `it may be one of: ${known.join(', ')}` : `did you mean "${near}"?`;
    return this.#mistake(table, key, what, advice);
  }

  #mistake(table: string, key: string, what: string, advice: string): ConfigMistake {
    const at = lineOf(this.#text, table, key);
    return new ConfigMistake(`${this.#file}${at > 0 ? `:${String(at)}` : ''}: ${what} — ${advice}`);
  }
}

/** In words, for people. */
export function meant(rule: Rule): string {
  if ('among' in rule)
    return rule.among
      .map((each) => `"${each}"`)
      .join(', ')
      .replace(/, ([^,]*)$/, ' or $1');
  if ('from' in rule) return `a whole number from ${String(rule.from)} to ${String(rule.to)}`;
  return `${rule.text}, in quotes`;
}

/** What does not leave this machine. */
function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/** From 1 on; 0 where it is written in a way that is not looked for. @param key empty: the table itself */
function lineOf(text: string, table: string, key: string): number {
  let inTable = '';
  for (const [index, each] of text.split('\n').entries()) {
    const header = /^\s*\[+\s*["']?([^"'\]\s]+)["']?\s*\]/.exec(each)?.[1];
    if (header !== undefined) inTable = header;
    const name = /^\s*["']?([^"'=\s]+)["']?\s*=/.exec(each)?.[1];
    const isThere =
      key === ''
        ? header === table || (inTable === '' && (name === table || name?.startsWith(`${table}.`)))
        : (inTable === table && name === key) || (inTable === '' && name === `${table}.${key}`);
    if (isThere) return index + 1;
  }
  return 0;
}

/** For `--help`: a line for each key but the limits, which have their own list. */
export function configHelp(): string[] {
  return ['registration', 'mail'].flatMap((table) =>
    Object.entries(configTable[table] ?? {}).map(([key, { value, what }]) => {
      const name = `${table}.${key}`;
      return `  ${name.padEnd(25)}${String(value ?? '').padStart(8)}  ${what}`;
    }),
  );
}
