/** cadenas-keys: makes the keys of networks and links their clients. */
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { buildNetwork } from './build.js';
import { linkClient } from './link.js';
import { loadNetwork } from './network.js';
import { errorCode } from './private-files.js';
import { plainLine } from '../plain/plain.js';
import { thisProgram } from './program.js';
import { KeysRefusal } from './refusal.js';

const KEYS = ['--keys <dir>', 'folder of the keys; each network has its own folder in it', 'keys'] as const;

interface BuildOptions {
  readonly network: string;
  readonly keys: string;
  readonly host: readonly string[];
}

interface LinkOptions {
  readonly network: string;
  readonly keys: string;
  readonly out: string;
}

const print = (...lines: readonly string[]): void => {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
};

async function runBuild({ network, keys, host }: BuildOptions): Promise<void> {
  const folder = await buildNetwork({ network, keys, hosts: host });
  const { pins } = loadNetwork(folder);
  print(
    `made the keys of network ${network} in ${folder}`,
    `tls pin  ${pins.join(' ')}`,
    'Back the folder up and show it to nobody: whoever loses it loses every account of the network.',
    `next: bin/cadenas-keys link --network ${network} --out DIR`,
  );
}

async function runLink(options: LinkOptions): Promise<void> {
  const { path, linked, sha256 } = await linkClient(options);
  print(
    `client   ${path}`,
    `network  ${linked.network}`,
    `build    ${linked.version} (${String(linked.build)})`,
    `software ${linked.software}`,
    `table    ${linked.table}`,
    `sha256   ${sha256}`,
  );
}

function program(): Command {
  const root = new Command('cadenas-keys')
    .description('Makes the keys of a Cadenas network, and links clients that know it.')
    .version(thisProgram().version)
    .configureOutput({
      outputError: (text, write) => {
        write(`${plainLine(text.trimEnd())}\n`);
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
    .option(
      '--host <name>',
      'DNS name or IP address for the TLS certificate besides localhost; may be repeated',
      (host: string, hosts: readonly string[]) => [...hosts, host],
      [] as readonly string[],
    )
    .action(runBuild);
  root
    .command('link')
    .description(
      'Writes a client of a network into DIR: cadenas.mjs, one file that runs with Node alone. No private key is in it.',
    )
    .requiredOption('--network <name>', 'a network that was built')
    .requiredOption('--out <dir>', 'where the client goes; made where it is missing')
    .option(...KEYS)
    .action(runLink);
  root.addHelpText(
    'after',
    `\nExamples:\n  cadenas-keys build --network home --host chat.example.org\n  cadenas-keys link --network home --out ${join('clients', 'home')}\n`,
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
