/** docs/operate.md: every command in it is run, in its order, on a machine with a systemd of its own. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { test, type Test } from 'tap';
import { commands } from '../../src/server/options.js';
import type { Ended } from '../support/cadenasd.js';
import { startMachine, whyNoMachine, type Machine } from '../support/machine.js';
import { root } from '../support/temp.js';

const docs = readFileSync(join(root, 'docs/operate.md'), 'utf8');

interface Block {
  /** of its section */
  readonly heading: string;
  readonly language: string;
  readonly lines: readonly string[];
}

function blocksOf(text: string): Block[] {
  let heading = '';
  const blocks: Block[] = [];
  for (const [, title, language = '', body = ''] of text.matchAll(/^#+ (.*)$|^```(\w*)\n([^]*?)^```$/gm)) {
    if (title !== undefined) heading = title;
    else blocks.push({ heading, language, lines: body.split('\n').filter((line) => line !== '') });
  }
  return blocks;
}

/** Run by a test of their own, from the package as npm packs it: installed.test.ts. */
const elsewhere = /^npm (install|uninstall) -g /;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** A file of the machine. */
function put(machine: Machine, path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(machine.at(path)), { recursive: true });
  writeFileSync(machine.at(path), text);
  chmodSync(machine.at(path), mode);
}

/** What an installation by npm, and Debian's packages around it, leave in a machine. */
function furnish(machine: Machine): void {
  for (const program of ['cadenasd', 'cadenas-keys'])
    put(machine, `/opt/bin/${program}`, `#!/bin/sh\nexec /opt/cadenas/bin/${program} "$@"\n`, 0o755);
  const permit = ['auth', 'account', 'session'].map((what) => `${what} sufficient pam_permit.so\n`);
  put(machine, '/etc/pam.d/runuser', permit.join(''));
}

const SECRETS = '{"password":"a long password of alice","words":"ability able about"}';

/** What people do between two sections: they are no operator, and have no command in this page. */
class People {
  readonly #machine: Machine;
  readonly #port: number;

  constructor(machine: Machine, port: number) {
    this.#machine = machine;
    this.#port = port;
  }

  async registers(t: Test): Promise<void> {
    put(this.#machine, '/root/secrets', SECRETS, 0o600);
    await this.#client(t, 'register', '@alice');
    await this.#client(t, 'room', 'create', 'garden');
  }

  async #client(t: Test, ...args: readonly string[]): Promise<void> {
    const at = [
      '--server',
      `127.0.0.1:${String(this.#port)}`,
      '--home',
      '/root/people',
      '--secrets-file',
      '/root/secrets',
    ];
    const { code, err } = await this.#machine.run('node', '/var/lib/cadenas/cadenas-home.mjs', ...at, ...args);
    t.equal(code, 0, `${args.join(' ')}: ${err}`);
  }
}

const why = whyNoMachine();
test('every command of docs/operate.md', why === undefined ? {} : { skip: why }, async (t) => {
  const machine = await startMachine(t);
  const port = await freePort();
  const people = new People(machine, port);
  furnish(machine);
  const ran: string[] = [];
  const run = async (line: string): Promise<Ended> => {
    ran.push(line);
    /* This machine lives in memory, where systemd-creds takes no key of the host unasked. */
    const here = line.replace('systemd-creds encrypt', '$& --with-key=host');
    return machine.run('sh', '-c', `PATH=/opt/bin:$PATH\n${here}`);
  };
  /** What the page says in words: edit this file, then go on. */
  const before: Readonly<Record<string, () => Promise<void> | void>> = {
    'systemctl enable --now cadenasd.service': () => {
      const file = machine.at('/etc/cadenas/cadenasd.toml');
      writeFileSync(file, readFileSync(file, 'utf8').replace('[::]:7878', `127.0.0.1:${String(port)}`));
    },
    'cadenasd user list': () => people.registers(t),
    'systemctl enable cadenasd.socket': async () => {
      const text = `[Socket]\nListenStream=\nListenStream=127.0.0.1:${String(port)}\n`;
      put(machine, '/etc/systemd/system/cadenasd.socket.d/override.conf', text);
      await machine.must('systemctl', 'daemon-reload');
    },
  };
  for (const { heading, language, lines } of blocksOf(docs)) {
    if (language === 'ini') {
      put(machine, '/etc/systemd/system/cadenasd.service.d/override.conf', `${lines.join('\n')}\n`);
      await machine.must('systemctl', 'daemon-reload');
    }
    if (language !== 'sh') continue;
    for (const line of lines) {
      if (elsewhere.test(line)) continue;
      await before[line]?.();
      const { code, out, err } = await run(line);
      t.equal(code, 0, `${heading}: ${line}\n${out}${err}`);
    }
  }

  /* What stands in the text alone: each command of the daemon that it names was run above, or is in the page's table of them. */
  const inline = [...docs.matchAll(/`(?:runuser -u cadenas -- )?cadenasd ([a-z][a-z-]*(?: [a-z]+)?)[^`]*`/g)];
  const known = Object.keys(commands).map((syntax) => syntax.replace(/ [[@A-Z].*$| on\|off$/, ''));
  for (const [whole, words = ''] of inline) {
    const [first = ''] = words.split(' ');
    const command = known.find((each) => each === words) ?? known.find((each) => each === first);
    t.ok(command !== undefined, `${whole} is a command`);
  }
  for (const command of ['status', 'health', 'user', 'room', 'limits', 'drain', 'invite', 'debug', 'config', 'backup'])
    t.ok(
      ran.some((line) => line.includes(`cadenasd ${command}`)),
      command,
    );
});
