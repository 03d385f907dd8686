/** All that can be set of the daemon: one schema for its file, its environment, its command line and what is told of them. */
import { isIP } from 'node:net';
import { isName, readEmail, utf8 } from '../../protocol/index.js';
import {
  oneOf,
  parseToml,
  path,
  SettingMistake,
  settle,
  text,
  texts,
  whole,
  yesOrNo,
  type Setting,
  type Settled,
  type Sources,
} from '../settings/index.js';
import { whoMayRegister } from './context.js';
import { limitRange, limitTable, type LimitName, type Limits } from './limits.js';

const line = (typed: string): string | undefined =>
  typed.length > 0 && typed.length <= 1_024 && !/\p{Cc}/u.test(typed) ? typed : undefined;
const matching =
  (pattern: RegExp) =>
  (typed: string): string | undefined =>
    pattern.test(typed) ? typed : undefined;

const hostName = /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})$/;
const host = (typed: string): string | undefined => (isIP(typed) !== 0 || hostName.test(typed) ? typed : undefined);
const mailAddress = (typed: string): string | undefined =>
  typed !== '' && readEmail(utf8(typed)) !== undefined ? typed : undefined;

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** HOST:PORT; an IPv6 address stands in brackets. */
function address(typed: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(typed);
  const [name, port] = [match?.[1] ?? match?.[2], Number(match?.[3])];
  return name !== undefined && host(name) !== undefined && port <= 65_535 ? { host: name, port } : undefined;
}

export function addressText({ host: name, port }: Address): string {
  return `${name.includes(':') ? `[${name}]` : name}:${String(port)}`;
}

/** Where figures are read: an address of this machine alone, or a Unix socket. */
export type MetricsPlace = Address | { readonly path: string };

function metricsPlace(typed: string): MetricsPlace | undefined {
  const [, socket] = /^unix:(\/.*)$/.exec(typed) ?? [];
  if (socket !== undefined) return line(socket) === undefined ? undefined : { path: socket };
  const place = address(typed);
  return place && isLoopback(place.host) ? place : undefined;
}

/** What does not leave this machine. */
export function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

const networkPattern = /^[a-z][a-z0-9-]{0,31}$/;
const build = whole(0, 2 ** 32 - 1, {
  what: 'oldest build of clients that is served, as cadenas --version shows it',
  value: undefined,
  otherwise: 'the first of the minor version before the daemon’s',
  flags: [{ syntax: '--min-build <number>' }],
});

const limits = Object.fromEntries(
  Object.entries(limitTable).map(([name, { value, what, unit }]) => {
    const atStart = name === 'window' ? ({ atStart: true } as const) : {};
    return [name, whole(...limitRange(name as LimitName), { value, what, unit, ...atStart })];
  }),
) as Readonly<Record<LimitName, Setting<number>>>;

export const mailTls = ['tls', 'starttls', 'none'] as const;
type MailTls = (typeof mailTls)[number];

export const daemonSchema = {
  daemon: {
    network: text('a–z, 0–9 and -, 32 at most, the first a letter', matching(networkPattern), {
      what: 'the network to serve',
      value: 'dev',
      atStart: true,
      flags: [{ syntax: '--network <name>' }],
    }),
    listen: text(
      'HOST:PORT, as 127.0.0.1:7878 or [::1]:7878',
      address,
      {
        what: 'where to listen; port 0 takes a free one; a socket that the service manager hands over goes before it',
        value: { host: '127.0.0.1', port: 7878 },
        atStart: true,
        flags: [{ syntax: '--listen <host:port>', what: 'where to listen; port 0 takes a free one' }],
      },
      addressText,
    ),
    data: path({
      what: 'folder of the data; the network has its own folder in it',
      value: 'data',
      atStart: true,
      flags: [{ syntax: '--data <dir>' }],
    }),
    keys: path({
      what: 'folder of the keys; the network has its own folder in it',
      value: 'keys',
      atStart: true,
      flags: [{ syntax: '--keys <dir>' }],
    }),
    control: path({
      what: 'Unix socket of the operator’s commands, 0600',
      value: undefined,
      otherwise: 'control in $RUNTIME_DIRECTORY under a service manager, else control.sock in the data of the network',
      atStart: true,
      flags: [{ syntax: '--control <path>' }],
    }),
    lobby: text('a–z, 0–9 and _, 3 to 32, the first a letter', (typed) => (isName(typed) ? typed : undefined), {
      what: 'offer this room to everybody: you can read what is said in it',
      value: undefined,
      atStart: true,
      flags: [{ syntax: '--lobby <name>' }],
    }),
    blocklist: path({
      what: 'refuse these keys: file with SHA-256 of SubjectPublicKeyInfo (DER), one in a line',
      value: undefined,
      flags: [{ syntax: '--blocklist <file>' }],
    }),
  },
  tls: {
    on: yesOrNo({
      what: 'TLS around the frames, which are encrypted without it too',
      value: true,
      atStart: true,
      flags: [
        { syntax: '--disable-ssl', means: 'false', what: 'plain TCP: no TLS around the frames, which stay encrypted' },
      ],
    }),
    certificate: path({
      what: 'PEM certificate for TLS instead of the network’s own',
      value: undefined,
      flags: [{ syntax: '--cert-path <file>' }],
    }),
    'private-key': path({
      what: 'PEM private key of that certificate',
      value: undefined,
      flags: [{ syntax: '--key-path <file>' }],
    }),
    generate: yesOrNo({
      what: 'make the network’s TLS certificate if it has none; clients must be linked again',
      value: false,
      atStart: true,
      flags: [{ syntax: '--generate-default-cert', means: 'true' }],
    }),
  },
  clients: {
    'min-build': build,
    'accept-software': texts('32 of 0-9 and a-f, as cadenas --version shows them', matching(/^[0-9a-f]{32}$/), {
      what: 'serve clients of this software id too',
      value: [],
      flags: [{ syntax: '--accept-software <hex>' }],
    }),
    'accept-table': texts('64 of 0-9 and a-f, as cadenas --version shows them', matching(/^[0-9a-f]{64}$/), {
      what: 'serve clients of this older opcode table too',
      value: [],
      flags: [{ syntax: '--accept-table <hex>' }],
    }),
  },
  registration: {
    who: oneOf(whoMayRegister, {
      what: 'who may register: everybody, with a code of cadenasd invite, nobody',
      value: 'open',
    }),
  },
  log: {
    level: oneOf(['debug', 'info', 'warn', 'error'], {
      what: 'the least that is logged',
      value: 'info',
      flags: [{ syntax: '--debug', means: 'debug', what: 'log more' }, { syntax: '--log-level <level>' }],
    }),
    format: oneOf(['text', 'json'], {
      what: 'lines for people, or one JSON object a line',
      value: 'text',
      flags: [{ syntax: '--log-format <format>' }],
    }),
    addresses: oneOf(['full', 'short', 'none'], {
      what: 'addresses of people in log and audit: whole, their network alone (/24, /48), or not at all',
      value: 'full',
      flags: [{ syntax: '--log-addresses <how>' }],
    }),
  },
  metrics: {
    listen: text<MetricsPlace, undefined>(
      'HOST:PORT of this machine alone, as 127.0.0.1:9464, or unix:/PATH',
      metricsPlace,
      {
        what: 'where Prometheus reads figures',
        value: undefined,
        otherwise: 'nowhere',
        atStart: true,
        flags: [{ syntax: '--metrics <place>' }],
      },
      (place) => ('path' in place ? `unix:${place.path}` : addressText(place)),
    ),
  },
  mail: {
    host: text('a host name or an address', host, {
      what: 'the mail server that takes codes',
      value: undefined,
      otherwise: 'the network sends no mail',
    }),
    port: whole(1, 65_535, { what: 'its port', value: undefined, otherwise: '465, 587 or 25, as tls has it' }),
    tls: oneOf(mailTls, { what: 'from the first byte, by STARTTLS, or none (to this machine alone)', value: 'tls' }),
    'ca-file': path({ what: 'PEM certificates to believe instead of the usual ones', value: undefined }),
    user: text('a name', line, { what: 'name at the mail server', value: undefined }),
    'password-file': path({ what: 'file with the password, your own and 0600', value: undefined }),
    sender: text('an address', mailAddress, { what: 'address that mails are from', value: undefined }),
    timeout: whole(1, 25, { what: 'how long a mail may take', value: 15, unit: 'seconds' }),
  },
  limits,
} as const;

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

export interface DaemonSettings extends Settled<typeof daemonSchema> {
  /** undefined: the network sends no mail */
  readonly mail: MailConfig | undefined;
  readonly limits: Limits;
}

const ports: Readonly<Record<MailTls, number>> = { tls: 465, starttls: 587, none: 25 };

/** @throws SettingMistake at the first thing that is wrong, alone or with others */
export function daemonSettings(sources: Sources): DaemonSettings {
  const settled = settle(daemonSchema, sources);
  checkTls(settled);
  return { ...settled, mail: mailOf(settled), limits: settled.values.limits };
}

/** @param file its name, for errors. @throws SettingMistake */
export function parseConfig(content: string, file: string): DaemonSettings {
  return daemonSettings({ file: parseToml(content, file) });
}

function checkTls({ values: { tls }, origins }: Settled<typeof daemonSchema>): void {
  if ((tls.certificate === undefined) === (tls['private-key'] === undefined)) return;
  const where = origins.get('tls.certificate') ?? origins.get('tls.private-key') ?? '';
  throw new SettingMistake(`${where}: a certificate and its private key go together — give both`);
}

function mailOf({ values: { mail: of }, origins }: Settled<typeof daemonSchema>): MailConfig | undefined {
  const said = [...origins].filter(([name]) => name.startsWith('mail.'));
  const mistake = (key: string, what: string): SettingMistake =>
    new SettingMistake(`${origins.get(`mail.${key}`) ?? said[0]?.[1] ?? ''}: ${what}`);
  /* What has a default stands in a file of all defaults too, which asks for no mail. */
  if (of.host === undefined && said.every(([name]) => name === 'mail.tls' || name === 'mail.timeout')) return undefined;
  if (of.host === undefined) throw mistake('', '[mail] has no host — add it');
  if (of.sender === undefined) throw mistake('', '[mail] has no sender — add it');
  const [user, passwordFile] = [of.user, of['password-file']];
  if ((user === undefined) !== (passwordFile === undefined)) {
    const lonely = user === undefined ? 'password-file' : 'user';
    throw mistake(lonely, 'user and password-file go together — give both, or neither');
  }
  if (of.tls === 'none' && !isLoopback(of.host))
    throw mistake('tls', `mails to ${of.host} would go without TLS — write "tls" or "starttls"`);
  const { host: server, tls, sender, timeout } = of;
  return { host: server, port: of.port ?? ports[tls], tls, user, passwordFile, caFile: of['ca-file'], sender, timeout };
}
