/** cadenasd(8): the daemon, and its operator's commands. */
import { commandTree } from '../../src/server/admin/program.js';
import { CONFIG_FILE, optionParser } from '../../src/server/options.js';
import { commandList, optionList } from './options.js';
import { example, paragraph, prose, rows, section, type Page } from './roff.js';

const signals = {
  'SIGTERM, SIGINT': 'stops it: whatever was acknowledged is on the disk',
  SIGHUP:
    'reads configuration, certificates and lists anew, and cuts nobody off; a mistake is logged and leaves everything as it is. At a terminal, it stops the daemon',
  SIGUSR1: 'logs more, or as before',
};

const exits = {
  0: 'stopped by a signal or a drain; of a command: done',
  1: 'your mistake, or something in the way: one line says what to do',
  2: 'the disk failed, or unexpected',
  3: 'of a command: the store is damaged',
};

const files = {
  [CONFIG_FILE]: 'settings, see `cadenasd.toml`(5)',
  'DATA/NETWORK': 'what the daemon keeps (0700, its files 0600)',
  'KEYS/NETWORK': 'the keys of the network, as `cadenas-keys`(1) made them',
  'DATA/NETWORK/control.sock':
    'where it takes the commands of an operator (0600); `control` in $RUNTIME_DIRECTORY under a service manager',
  '/etc/systemd/system/cadenasd.service, cadenasd.socket': 'units of systemd, as `install-service` writes them',
};

const environment = {
  CADENASD_CONFIG: 'the file of settings, as --config names it',
  CADENASD_TABLE_KEY: 'a setting of `cadenasd.toml`(5); before the file, behind an option of the line',
  CREDENTIALS_DIRECTORY: 'a folder of credentials, see below',
  'LISTEN_FDS, LISTEN_PID': 'sockets that a service manager hands over, in the place of --listen',
  'NOTIFY_SOCKET, WATCHDOG_USEC': 'where the service manager is told that it is ready and well',
  RUNTIME_DIRECTORY: 'where the control socket is',
  JOURNAL_STREAM: 'lines of the log have priorities where it is standard error',
  NO_COLOR: '`status --watch` without colours',
};

export function cadenasdPage(version: string): Page {
  const daemon = optionParser(version);
  return {
    name: 'cadenasd',
    section: 8,
    what: 'the daemon of a private chat network',
    parts: [
      section(
        'Synopsis',
        prose('`cadenasd` [OPTION...]'),
        '.br',
        prose('`cadenasd` COMMAND [ARGUMENT...] [OPTION...]'),
      ),
      section(
        'Description',
        prose(
          'Routes sealed messages between the clients of one network, and keeps what waits for somebody who is away. It can read none of them. It stays in the foreground and logs to standard error; when it serves, it prints `ready` and its address to standard output.',
        ),
        paragraph(
          'With a command it does that instead of serving. Commands that are about a daemon that runs reach it over its control socket, as its user or root.',
        ),
      ),
      section(
        'Options',
        optionList(daemon),
        paragraph(
          'All that can be set, with ranges and defaults, stands in `cadenasd.toml`(5); `cadenasd config --print-default` prints it as a file.',
        ),
      ),
      section('Commands', commandList(commandTree(version), daemon)),
      section('Signals', rows(signals)),
      section('Exit status', rows(exits)),
      section('Files', rows(files)),
      section('Environment', rows(environment)),
      section(
        'Credentials',
        prose(
          'Private keys need not lie in KEYS/NETWORK: `server.key`, `secrets.json` and `tls.key` are looked for in $CREDENTIALS_DIRECTORY first, those of the next generation as `next.server.key` and so on. With systemd that is `LoadCredentialEncrypted=` in a drop-in of the service.',
        ),
      ),
      section(
        'Examples',
        paragraph('Try the settings, then have the running daemon take them:'),
        example('cadenasd config --check', 'cadenasd reload'),
        paragraph('As a service:'),
        example('cadenasd install-service', 'systemctl enable --now cadenasd.service'),
        paragraph('Watch it, and let everybody leave before it ends:'),
        example('cadenasd status --watch', 'cadenasd drain --within 60'),
        paragraph('Let two people in within a week:'),
        example('cadenasd invite --count 2'),
      ),
      section('See also', prose('`cadenasd.toml`(5), `cadenas-keys`(1), `cadenas`(1), `systemd`(1)')),
    ],
  };
}
