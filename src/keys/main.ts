/** cadenas-keys: makes the keys of networks and links their clients. */
import { basename, join } from 'node:path';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { createInterface } from 'node:readline/promises';
import { addCompletion, treeOf } from '../completion/index.js';
import { buildNetwork } from './build.js';
import { checkNetworkName } from './files.js';
import { bundleClient, linkClient, type LinkedClient } from './link.js';
import { isServer } from './certificate.js';
import { loadNetwork, wipe } from './network.js';
import { errorCode } from './private-files.js';
import { plainLine } from '../plain/plain.js';
import { thisProgram } from './program.js';
import { KeysRefusal } from './refusal.js';
import { finishRetirement, retireNetwork, rotateNetwork, rotationOf, type Rotation } from './rotation.js';

const KEYS = ['--keys <dir>', 'folder of the keys; each network has its own folder in it', 'keys'] as const;

interface BuildOptions {
  readonly network: string;
  readonly keys: string;
  readonly host?: readonly string[];
  readonly secrets?: string;
}

type RotateOptions = Omit<BuildOptions, 'secrets'>;

interface RetireOptions {
  readonly network: string;
  readonly keys: string;
  readonly yes?: boolean;
}

interface BundleOptions {
  readonly network: string;
  readonly keys: string;
  readonly server?: string;
  readonly out?: string;
}

type LinkOptions = BundleOptions & { readonly out: string };

const print = (...lines: readonly string[]): void => {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
};

/** What names the same network on the next line. */
function onLine(network: string, keys: string): string {
  return `--network ${network}${keys === KEYS[2] ? '' : ` --keys ${keys}`}`;
}

async function runBuild({ network, keys, host = [], secrets }: BuildOptions): Promise<void> {
  const folder = await buildNetwork({ network, keys, hosts: host, ...(secrets === undefined ? {} : { secrets }) });
  const files = loadNetwork(folder);
  wipe(files);
  const { pins } = files;
  print(
    `made the keys of network ${network} in ${folder}`,
    `tls pin  ${pins.join(' ')}`,
    'Back the folder up and show it to nobody: whoever loses it loses every account of the network.',
    `next: cadenas-keys bundle ${onLine(network, keys)}`,
  );
}

async function runRotate({ network, keys, host = [] }: RotateOptions): Promise<void> {
  const { folder, current, next } = await rotateNetwork({ network, keys, hosts: host });
  print(
    `made generation ${String(next.generation)} of the keys of network ${network} in ${join(folder, 'next')}`,
    `tls pin  ${next.pins.join(' ')}`,
    `Clients of generation ${String(current.generation)} go on working. From now on:`,
    `1. restart cadenasd: it reads the keys at its start, and then serves both generations`,
    `2. cadenas-keys bundle ${onLine(network, keys)}, and give the client to everybody; profiles stay as they are`,
    `3. when they have it: cadenas-keys retire ${onLine(network, keys)}, and restart cadenasd`,
    'Back the folder up again.',
  );
}

async function runRetire({ network, keys, yes }: RetireOptions): Promise<void> {
  checkNetworkName(network);
  const folder = join(keys, network);
  wipe(loadNetwork(folder));
  if (finishRetirement(folder)) {
    print(`finished a retirement that was cut off; restart cadenasd: it reads the keys at its start`);
    return;
  }
  const rotation = rotationOf(folder, network);
  if (!yes) await confirmRetirement(network, rotation);
  const { current, next } = retireNetwork(folder, network);
  print(
    `network ${network} has generation ${String(next.generation)} of its keys now; generation ${String(current.generation)} is gone from ${folder}`,
    'Restart cadenasd: it serves the old keys until then, and shows the new certificate after it.',
    'Removed is not overwritten: a disk may hold the old private keys until it reuses their place, and older backups of the folder hold them still.',
  );
}

/** @throws KeysRefusal where nobody can be asked, or the answer is another */
async function confirmRetirement(network: string, { current, next }: Rotation): Promise<void> {
  const warning = `Clients that were linked before ${next.created} (generation ${String(current.generation)} alone) stop working for good.`;
  if (!process.stdin.isTTY) throw new KeysRefusal(`${warning} Nobody is here to confirm it; add --yes`);
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const ended = new Promise<string>((resolve) =>
      asking.once('close', () => {
        resolve('');
      }),
    ); // Ctrl-D
    const asked = asking.question(`${warning}\nType the network's name to retire its keys: `).catch(() => ''); // Ctrl-C
    const answer = await Promise.race([asked, ended]);
    if (answer.trim() !== network) throw new KeysRefusal('nothing was done; it was not confirmed');
  } finally {
    asking.close();
  }
}

async function runBundle(options: BundleOptions): Promise<void> {
  const client = await bundleClient(options);
  printClient(client);
  // Not by the client itself: a false one would say what people want to read.
  print(
    'Tell people the hash by another way than the file comes. Whoever has the file checks it by:',
    `  echo '${client.sha256}  ${basename(client.path)}' | sha256sum -c`,
  );
}

async function runLink(options: LinkOptions): Promise<void> {
  printClient(await linkClient(options));
}

function printClient({ path, linked, sha256 }: LinkedClient): void {
  print(
    `client   ${path}`,
    `network  ${linked.network}`,
    `build    ${linked.version} (${String(linked.build)})`,
    `software ${linked.software}`,
    `table    ${linked.table}`,
    `sha256   ${sha256}`,
  );
}

function serverOption(): Option {
  return new Option(
    '--server <host:port>',
    'where the daemon is, for everybody who runs it without --server',
  ).argParser((typed: string) => {
    if (!isServer(typed))
      throw new InvalidArgumentError('write HOST:PORT, as chat.example.org:7878 or [2001:db8::1]:7878.');
    return typed;
  });
}

function hostOption(besides: string): Option {
  return new Option(
    '--host <name>',
    `DNS name or IP address for the TLS certificate ${besides}; may be repeated`,
  ).argParser((host: string, hosts: readonly string[] | undefined) => [...(hosts ?? []), host]);
}

export function program(): Command {
  const root = new Command('cadenas-keys')
    .description('Makes the keys of a Cadenas network, and links clients that know it.')
    .version(thisProgram().version)
    .configureOutput({
      outputError: (text, write) => {
        const what = text
          .trim()
          .replace(/^error: /, '')
          .replace(/\.$/, '')
          .replaceAll('\n', ' ');
        write(`cadenas-keys: ${plainLine(what)} — see cadenas-keys --help\n`);
      },
    })
    .exitOverride();
  root
    .command('build')
    .description(
      "Makes a new network's keys in KEYS/NAME (0700, files 0600). Never overwrites: an existing network is an error.",
    )
    .requiredOption('--network <name>', 'its name: a–z, 0–9 and -, at most 32, the first a letter')
    .option(...KEYS)
    .addOption(hostOption('besides localhost'))
    .option('--secrets <file>', 'secrets.json of a backup: its accounts can log in again, with clients linked anew')
    .action(runBuild);
  root
    .command('rotate')
    .description(
      'Makes the next generation of a network’s keys and its certificate, in KEYS/NAME/next. The daemon serves both from its next start on; clients that are linked from now on know both. Never overwrites.',
    )
    .requiredOption('--network <name>', 'a network that was built')
    .option(...KEYS)
    .addOption(hostOption('besides those of the current one'))
    .action(runRotate);
  root
    .command('retire')
    .description(
      'Drops the current generation of keys, and makes the next one current. Clients that were linked before the rotation stop working when the daemon is restarted.',
    )
    .requiredOption('--network <name>', 'a network whose keys were rotated')
    .option(...KEYS)
    .option('--yes', 'does not ask')
    .action(runRetire);
  root
    .command('bundle')
    .description(
      'Writes a client of a network into one file that runs with Node alone, to be handed out. No private key is in it.',
    )
    .requiredOption('--network <name>', 'a network that was built')
    .addOption(serverOption())
    .option('--out <file>', 'where it goes, its name ending in .mjs (default: cadenas-NETWORK.mjs)')
    .option(...KEYS)
    .action(runBundle);
  root
    .command('link')
    .description(
      'Writes the same file as DIR/cadenas.mjs, with README.txt, and linked.json for a client in another language.',
    )
    .requiredOption('--network <name>', 'a network that was built')
    .addOption(serverOption())
    .requiredOption('--out <dir>', 'where the client goes; made where it is missing')
    .option(...KEYS)
    .action(runLink);
  addCompletion(
    root,
    (script) => process.stdout.write(script),
    () => treeOf(root),
  );
  root.addHelpText(
    'after',
    `\nExamples:\n  cadenas-keys build --network home --host chat.example.org\n  cadenas-keys bundle --network home\n  cadenas-keys rotate --network home\n`,
  );
  return root;
}

/**
 * @param argv what follows the program's name
 * @returns the exit code: 0 done, 1 the user can mend it, 2 unexpected, 3 the disk refused
 */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    await program().parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1; // commander has said why
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`cadenas-keys: ${plainLine(error instanceof KeysRefusal ? text : explain(error, text))}\n`);
    if (error instanceof KeysRefusal) return 1;
    return errorCode(error) === undefined ? 2 : 3;
  }
}

function explain(error: unknown, text: string): string {
  const [line = text] = text.split('\n');
  return errorCode(error) === undefined
    ? `unexpected: ${line}`
    : `${line}; check the path, its permissions and the room on the disk`;
}
