/** cadenas(1): the command line of a client. */
import type { Command } from 'commander';
import { commandTable } from '../../src/faces/cli/main.js';
import { Output } from '../../src/faces/cli/output.js';
import { commandList, optionList } from './options.js';
import { example, paragraph, prose, rows, section, type Page } from './roff.js';

/** Its commands; the network stands in none of them. @param version of the programs */
export function cadenas(version: string): Command {
  const linked = { network: 'NETWORK', version, build: 0, software: '', table: '', pins: [] };
  const keys = { generation: 1, networkKey: '', serverModulus: '' };
  const { stdout, stderr } = process;
  return commandTable({ ...linked, ...keys }, { stdout }, new Output(stdout, stderr, false), () => Promise.resolve());
}

const exits = {
  0: 'done',
  1: 'your mistake: one line says what to do',
  2: 'unexpected',
  3: 'the network, or reading and writing',
  4: 'trust: keys or a certificate are not the expected ones',
  5: 'limited by the daemon',
  '130, 143': 'interrupted: SIGINT (Ctrl-C), SIGTERM. `receive --follow` ends with 0',
};

const files = {
  '$XDG_CONFIG_HOME/cadenas/NETWORK.toml, cadenas.toml':
    'settings, see `cadenas.toml`(5); the first that is there counts, in ~/.config where XDG_CONFIG_HOME is not set',
  '$XDG_DATA_HOME/cadenas/NETWORK/PROFILE':
    'a profile: keys, contacts and what waits, sealed; in ~/.local/share where XDG_DATA_HOME is not set. Open to you alone (0700)',
  '$XDG_DATA_HOME/cadenas/cadenas.mjs': 'the client that an installed `cadenas` runs, as your operator gave it to you',
};

const environment = {
  CADENAS_CONFIG: 'the file of settings, as --config names it',
  CADENAS_TABLE_KEY: 'a setting of `cadenas.toml`(5); before the file, behind an option of the line',
  CADENAS_CLIENT: 'the client that an installed `cadenas` runs, in the place of the usual one',
  XDG_DATA_HOME: 'where profiles and client are; an absolute path',
  XDG_CONFIG_HOME: 'where files of settings are; an absolute path',
  HOME: 'where those two are not set, .local/share and .config in it',
  NO_COLOR: 'no colours where it is set',
  COLORFGBG: 'whether the ground of the terminal is dark or light, as some terminals say',
  TERM: 'where it is `dumb`, lines are only ever added',
};

export function cadenasPage(program: Command): Page {
  return {
    name: 'cadenas',
    section: 1,
    what: 'private conversations and rooms on a network of your own',
    parts: [
      section('Synopsis', prose('`cadenas` [OPTION...] [COMMAND [ARGUMENT...]]')),
      section(
        'Description',
        prose(
          'A client of one network: the one it was linked with, as `--version` tells. Without a command it is the terminal interface, `cadenas-chat`(1).',
        ),
        paragraph(
          'Options may stand anywhere on the line. A text that begins with a dash needs `--` before it, or standard input. Commands ask for password and words on the terminal; after `login` the commands of the profile need none.',
        ),
      ),
      section('Options', optionList(program)),
      section('Commands', commandList(program, program)),
      section(
        'Secrets',
        prose('The file of `--secrets-file`, or what is read from `--secrets-fd`, is JSON:'),
        example('{"password": "...", "words": "three words here"}'),
        paragraph(
          'It may have `code` (of the second factor), `recovery` (a recovery code), `invitation`, `export` (the passphrase of an exported account), `rooms` (passwords by the names of rooms) and `new` (`password` or `words` that are to be). The file is your own and open to you alone (0600).',
        ),
      ),
      section('Exit status', rows(exits)),
      section('Files', rows(files)),
      section('Environment', rows(environment)),
      section(
        'Examples',
        example(
          'cadenas register @alice',
          'cadenas login',
          'cadenas add @bobby',
          "cadenas send @bobby 'good morning'",
          'cadenas receive --follow --json',
          'eval "$(cadenas completion bash)"',
        ),
      ),
      section('See also', prose('`cadenas-chat`(1), `cadenas.toml`(5), `cadenas-keys`(1), `cadenasd`(8)')),
    ],
  };
}
