/** All that can be set of a client: one schema for its file, its environment, its command line and what is told of them. */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { LinkedNetwork } from '../../../protocol/index.js';
import type { ClientError, Endpoint } from '../../client/index.js';
import {
  addConfigOptions,
  addFlags,
  everySetting,
  hostPort,
  hostPortText,
  oneOf,
  path,
  SettingMistake,
  settle,
  sourcesOf,
  text,
  variableOf,
  yesOrNo,
  type Program,
  type Settled,
  type ValuesOf,
} from '../../settings/index.js';
import { mistake } from './failure.js';

const endpoint = (typed: string): Endpoint | undefined => hostPort(typed, 1);

const profileName = (typed: string): string | undefined => (/^[a-z0-9_-]{1,32}$/.test(typed) ? typed : undefined);

export const clientSchema = {
  client: {
    server: text(
      'HOST:PORT, as 127.0.0.1:7878 or [::1]:7878',
      endpoint,
      {
        what: 'the daemon',
        value: { host: '127.0.0.1', port: 7878 },
        flags: [{ syntax: '--server <host:port>' }],
      },
      hostPortText,
    ),
    profile: text('1 to 32 of a-z, 0-9, _ and -', profileName, {
      what: 'which of your profiles',
      value: 'default',
      flags: [{ syntax: '--profile <name>' }],
    }),
    home: path({
      what: 'folder of the profiles',
      value: undefined,
      otherwise: 'cadenas in $XDG_DATA_HOME',
      flags: [{ syntax: '--home <dir>' }],
    }),
    'secrets-file': path({
      what: 'JSON with password and words, 0600',
      value: undefined,
      flags: [{ syntax: '--secrets-file <file>' }],
    }),
    debug: yesOrNo({ what: 'log to stderr', value: false, flags: [{ syntax: '--debug', means: 'true' }] }),
  },
  tls: {
    on: yesOrNo({
      what: 'TLS around the frames, which are encrypted without it too',
      value: true,
      flags: [{ syntax: '--disable-ssl', means: 'false', what: 'no TLS around the frames, which stay encrypted' }],
    }),
    'allow-invalid-cert': yesOrNo({
      what: 'accept any TLS certificate',
      value: false,
      flags: [{ syntax: '--allow-invalid-cert', means: 'true' }],
    }),
  },
  screen: {
    plain: yesOrNo({
      what: 'lines that are only added, in the place of a screen: for screen readers',
      value: false,
      flags: [{ syntax: '--plain', means: 'true' }],
    }),
    color: yesOrNo({
      what: 'colours, where NO_COLOR does not ask for none',
      value: true,
      flags: [{ syntax: '--no-color', means: 'false', what: 'without colours; so does NO_COLOR' }],
    }),
    theme: oneOf(['auto', 'dark', 'light'], {
      what: 'colours for a dark or a light ground; auto: as COLORFGBG says, else dark',
      value: 'auto',
      flags: [{ syntax: '--theme <ground>', what: 'colours for a dark or a light ground' }],
    }),
    bell: yesOrNo({ what: 'ring when something comes while nobody looks', value: true }),
    notify: yesOrNo({ what: 'have the terminal notify then that something came, never what', value: true }),
  },
} as const;

/** What is linked into a client and counts here. */
type Linked = Pick<LinkedNetwork, 'network' | 'server'>;

/** As the operator linked it: with the daemon of the network in the place of this machine's. */
export function schemaOf({ server: linked }: Linked): typeof clientSchema {
  const value = linked === undefined ? undefined : endpoint(linked);
  if (!value) return clientSchema;
  const { server, ...client } = clientSchema.client;
  return { ...clientSchema, client: { server: { ...server, value }, ...client } };
}

type Values = ValuesOf<typeof clientSchema>;

export interface ClientSettings extends Settled<typeof clientSchema> {
  /** what would hold without the options of the line */
  readonly unsaid: Values;
}

export const PREFIX = 'CADENAS_';
/** Of the launcher (bin/find-client.js). */
const LAUNCHER = 'CADENAS_CLIENT';

/** Adds the options that set something, and what help tells of the rest. */
export function addSettingOptions(program: Command, linked: Linked): Command {
  const others = everySetting(clientSchema).filter(({ setting }) => !setting.flags);
  const rows = others.map(({ table, key, setting }) => {
    const usual = setting.write(setting.value);
    return `  ${`${table}.${key}`.padEnd(15)}${usual}  ${setting.what}`;
  });
  const also = `in the file, or as ${variableOf(PREFIX, 'table', 'key')} in the environment`;
  addFlags(program, schemaOf(linked));
  return addConfigOptions(program, `${fileNames(linked.network).join(' or ')} in $XDG_CONFIG_HOME/cadenas`).addHelpText(
    'after',
    `\nSettings that have no option (${also}; cadenas config --print-default tells all):\n${rows.join('\n')}`,
  );
}

/**
 * The network's own goes in the place of the general one, and is not laid over it: a server is one network's, and so each
 * line of the file that counts holds.
 */
function fileNames(network: string): string[] {
  return [`${network}.toml`, 'cadenas.toml'];
}

/**
 * Of a line; its file is read here.
 * @param program the command where the options stand
 * @param folder where files are looked for; undefined: nowhere
 * @throws ClientError
 */
export function readSettings(
  program: Command,
  linked: Linked,
  folder: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): ClientSettings {
  const usualFiles = folder === undefined ? [] : fileNames(linked.network).map((name) => join(folder, name));
  const schema = schemaOf(linked);
  const from: Program = { schema, prefix: PREFIX, others: [LAUNCHER], usualFiles, isPersonal: true };
  try {
    const { flags, ...others } = sourcesOf(program, from, environment);
    const unsaid = settle(schema, others).values;
    return { ...settle(schema, { ...others, ...(flags ? { flags } : {}) }), unsaid };
  } catch (thrown) {
    throw thrown instanceof SettingMistake ? asMistake(thrown.message) : thrown;
  }
}

function asMistake(line: string): ClientError {
  const at = line.lastIndexOf(' — ');
  const [what, hint] = [line.slice(0, at), line.slice(at + 3)];
  if (what.startsWith('--')) return mistake('usage', what, hint);
  /* What is about neither an option nor a variable is about the file, and nobody should be locked out by that. */
  return mistake('settings', what, what.startsWith(PREFIX) ? hint : `${hint} (--no-config goes without the file)`);
}

/** What is said at each start; undefined: nothing. Who accepts any certificate for one command knows it. */
export function warningOf({ values, origins }: ClientSettings): string | undefined {
  const origin = origins.get('tls.allow-invalid-cert') ?? '--';
  if (!values.tls['allow-invalid-cert'] || !values.tls.on || origin.startsWith('--')) return undefined;
  const advice = 'take allow-invalid-cert out once the daemon has its certificate again';
  return `WARNING: any TLS certificate is accepted, as ${origin} has it — ${advice}`;
}
