/** cadenasd.toml(5), and the same for every other schema. */
import { clientSchema, PREFIX as CLIENT_PREFIX } from '../../src/faces/cli/settings.js';
import { daemonSchema } from '../../src/server/config.js';
import { CONFIG_FILE, PREFIX } from '../../src/server/options.js';
import type { Schema } from '../../src/settings/index.js';
import { example, paragraph, prose, section, type Page } from './roff.js';
import { settingList } from './settings.js';

interface SettingsFile {
  readonly name: string;
  readonly program: string;
  /** with its section: `cadenasd`(8) */
  readonly reference: string;
  readonly schema: Schema;
  readonly prefix: string;
  /** where it is looked for */
  readonly places: readonly string[];
  /** which file is refused */
  readonly refused: string;
  readonly reloads: boolean;
  readonly example: readonly string[];
}

function settingsPage(of: SettingsFile): Page {
  const { program, prefix } = of;
  const usual = `${of.places.map((place) => `\`${place}\``).join(', else ')}, where it is there`;
  return {
    name: of.name,
    section: 5,
    what: `settings of ${program}`,
    parts: [
      section('Synopsis', of.places.map((place) => prose(`\`${place}\``)).join('\n.br\n')),
      section(
        'Description',
        prose(
          `TOML: tables in brackets, and under each its keys. The file of \`--config\`, or of $${prefix}CONFIG, or ${usual}; \`--no-config\` reads none. An option of the line goes before the environment, that before the file, and that before the default.`,
        ),
        paragraph(
          `In the environment a setting is ${prefix}TABLE_KEY, in capitals, dashes as underscores, a list with commas. What is unknown or can't be what it says is refused with file and line. Relative paths are seen from the file's folder. ${of.refused}, or longer than 64 KiB, is refused.`,
        ),
        ...(of.reloads
          ? [
              paragraph(
                'A reload (`cadenasd reload`, SIGHUP) takes what is marked so without a restart; the rest counts from the next start on.',
              ),
            ]
          : []),
      ),
      section('Settings', settingList(of.schema, prefix, of.reloads)),
      section('Examples', example(...of.example)),
      section('See also', prose(of.reference)),
    ],
  };
}

export const cadenasdToml = (): Page =>
  settingsPage({
    name: 'cadenasd.toml',
    program: 'cadenasd',
    reference: '`cadenasd`(8)',
    schema: daemonSchema,
    prefix: PREFIX,
    places: [CONFIG_FILE],
    refused: 'A file that anybody may write',
    reloads: true,
    example: [
      '[daemon]',
      'network = "home"',
      'listen = "[::]:7878"',
      'data = "/var/lib/cadenas/data"',
      'keys = "/var/lib/cadenas/keys"',
      '',
      '[registration]',
      'who = "invitation"',
      '',
      '[limits]',
      'connections = 5000',
    ],
  });

/** The network's own file goes in the place of the general one: they are not laid over each other. */
export const cadenasToml = (): Page =>
  settingsPage({
    name: 'cadenas.toml',
    program: 'cadenas',
    reference: '`cadenas`(1), `cadenas-chat`(1)',
    schema: clientSchema,
    prefix: CLIENT_PREFIX,
    places: ['$XDG_CONFIG_HOME/cadenas/NETWORK.toml', '$XDG_CONFIG_HOME/cadenas/cadenas.toml'],
    refused: "A file of somebody else's, or that somebody else may write",
    reloads: false,
    example: ['[client]', 'server = "chat.example.org:7878"', '', '[screen]', 'theme = "light"', 'bell = false'],
  });
