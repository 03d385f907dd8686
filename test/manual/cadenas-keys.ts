/** cadenas-keys(1): keys of networks, and clients. */
import { program } from '../../src/keys/main.js';
import { commandList, optionList } from './options.js';
import { example, paragraph, prose, rows, section, type Page } from './roff.js';

const exits = {
  0: 'done',
  1: 'your mistake: one line says what to do',
  2: 'unexpected',
  3: 'the disk refused',
};

const files = {
  'KEYS/NETWORK': 'the keys of a network (0700, its files 0600); `keys` in the current folder where --keys is left out',
  'server.key, secrets.json': 'the key by which clients know the network, and what its accounts hang on',
  'tls.key, tls.crt': 'key and certificate of TLS',
  'network.json': 'what clients are told: no secret but the key of the network',
  next: 'the same five files: the generation that comes next, between `rotate` and `retire`',
};

export function keysPage(): Page {
  const commands = program();
  return {
    name: 'cadenas-keys',
    section: 1,
    what: 'make the keys of a cadenas network, and link its clients',
    parts: [
      section('Synopsis', prose('`cadenas-keys` COMMAND [OPTION...]')),
      section(
        'Description',
        prose(
          'Makes the keys of a network, which its daemon needs, and the clients that know it. Whoever loses the keys loses every account of the network: back them up, and show them to nobody.',
        ),
        paragraph(
          'A client is one file that runs with Node alone. Equal sources give equal bytes, so that its hash says what it is; tell people the hash by another way than the file comes.',
        ),
      ),
      section('Options', optionList(commands)),
      section('Commands', commandList(commands, commands)),
      section('Exit status', rows(exits)),
      section('Files', rows(files)),
      section(
        'Examples',
        paragraph('A new network, and the client to be handed out:'),
        example(
          'cadenas-keys build --network home --host chat.example.org',
          'cadenas-keys bundle --network home --out cadenas-home.mjs',
        ),
        paragraph('Other keys, later: restart the daemon after the first and the last.'),
        example(
          'cadenas-keys rotate --network home',
          'cadenas-keys bundle --network home --out cadenas-home.mjs',
          'cadenas-keys retire --network home',
        ),
      ),
      section('See also', prose('`cadenas`(1), `cadenasd`(8)')),
    ],
  };
}
