/** Links a client: one file that runs with Node alone and knows one network. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { hex, linkedGenerations, type LinkedGeneration, type LinkedNetwork } from '../../protocol/index.js';
import { checkNetworkName } from './files.js';
import { loadNetwork, wipe, type GenerationFiles } from './network.js';
import { replaceFile } from './private-files.js';
import { packageRoot, thisProgram } from './program.js';
import { KeysRefusal } from './refusal.js';

/** The command line's module, compiled; it exports `main(linked, argv): Promise<exit code>`. */
export const clientEntry = join(packageRoot, 'dist/src/faces/cli/main.js');

export const CLIENT_FILE = 'cadenas.mjs';
const README_FILE = 'README.txt';
/** The same for a client in another language (SPEC 4.1). */
const LINKED_FILE = 'linked.json';
const MARK = '// Cadenas client of network ';

export interface LinkRequest {
  readonly network: string;
  /** The folder that holds networks. */
  readonly keys: string;
  /** Where the client goes; made where it is missing. */
  readonly out: string;
  readonly entry?: string;
}

export interface LinkedClient {
  readonly path: string;
  readonly linked: LinkedNetwork;
  /** Of the file, lower-case hexadecimal. */
  readonly sha256: string;
}

/**
 * Equal trees give equal bytes, so that a client can be checked by its hash.
 * @throws KeysRefusal where the keys can't be used, nothing is compiled, or another network's client is there
 */
export async function linkClient({ network, keys, out, entry = clientEntry }: LinkRequest): Promise<LinkedClient> {
  checkNetworkName(network);
  const linked = linkedNetwork(join(keys, network), network);
  const path = join(out, CLIENT_FILE);
  refuseOther(path, out, network);
  if (!existsSync(entry)) throw new KeysRefusal(`the client is not compiled (no ${entry}); run: npm run compile`);
  const bundle = await bundleClient(linked, resolve(entry));
  mkdirSync(out, { recursive: true, mode: 0o755 });
  replaceFile(path, bundle, 0o755);
  replaceFile(join(out, LINKED_FILE), `${JSON.stringify(linked, undefined, 2)}\n`, 0o644);
  replaceFile(join(out, README_FILE), readme(linked), 0o644);
  return { path, linked, sha256: createHash('sha256').update(bundle).digest('hex') };
}

/**
 * Field by field, so that nothing private can slip in with a spread. Version, build and table are those of
 * the program that is bundled here, which may be newer than the keys.
 */
export function linkedNetwork(folder: string, network: string): LinkedNetwork {
  const files = loadNetwork(folder);
  if (files.network !== network)
    throw new KeysRefusal(`${folder} holds the keys of network ${files.network}; rename the folder to that`);
  const { version, build: number, table } = thisProgram();
  const linked: LinkedNetwork = {
    network,
    version,
    build: number,
    software: hex(files.software),
    table: hex(table),
    ...linkedGeneration(files),
    ...(files.next ? { next: linkedGeneration(files.next) } : {}),
    pins: [...files.pins, ...(files.next?.pins ?? [])],
  };
  wipe(files);
  return linked;
}

function linkedGeneration({ generation, networkKey, serverModulus }: GenerationFiles): LinkedGeneration {
  return { generation, networkKey: hex(networkKey), serverModulus: hex(serverModulus) };
}

function refuseOther(path: string, out: string, network: string): void {
  if (existsSync(out) && !statSync(out).isDirectory())
    throw new KeysRefusal(`${out} is not a folder; choose another --out`);
  if (!existsSync(path)) return;
  const marked = readFileSync(path, 'utf8').split('\n', 2)[1] ?? '';
  if (marked !== MARK + network)
    throw new KeysRefusal(`${path} is not a client of network ${network}; choose another --out, or remove that file`);
}

/**
 * Of blessed a client uses the screen. One function of its table of widths, which the terminal face replaces, would bring
 * all widgets along, and with them packages that are not there.
 */
const withoutWidgets: Plugin = {
  name: 'without-widgets',
  setup(built) {
    built.onResolve({ filter: /^\.\.\/$/ }, ({ importer }) =>
      importer.endsWith('/blessed/lib/unicode.js') ? { path: 'widgets', namespace: 'nothing' } : undefined,
    );
    built.onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'module.exports = {};' }));
  },
};

async function bundleClient(linked: LinkedNetwork, entry: string): Promise<Uint8Array> {
  // Paths relative to the package, so that the same tree gives the same bytes wherever it lies.
  const result = await build({
    stdin: {
      contents: [
        `import { main } from ${JSON.stringify(entry)};`,
        `process.exitCode = await main(${JSON.stringify(linked)}, process.argv.slice(2));`,
      ].join('\n'),
      resolveDir: packageRoot,
      sourcefile: 'linked-client.js',
    },
    absWorkingDir: isAbsolute(packageRoot) ? packageRoot : resolve(packageRoot),
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    charset: 'utf8',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'inline',
    plugins: [withoutWidgets],
    write: false,
    logLevel: 'silent',
    banner: {
      // CommonJS packages call require for Node's own modules; an ES module has none.
      js: [
        '#!/usr/bin/env node',
        MARK + linked.network,
        `import { createRequire as cadenasRequire } from 'node:module';`,
        'const require = cadenasRequire(import.meta.url);',
      ].join('\n'),
    },
  });
  const file = result.outputFiles[0];
  if (!file) throw new Error('esbuild gave no file');
  return file.contents;
}

function readme(linked: LinkedNetwork): string {
  const { network, version } = linked;
  const generations = linkedGenerations(linked).map(({ generation }) => generation);
  return [
    `Cadenas ${version}, client of network ${network}, generation ${generations.join(' and ')} of its keys.`,
    '',
    `Needs Node 20.19 or later, nothing else.   node ${CLIENT_FILE} --help`,
    'It holds the key that opens this network to a client: give it to members only.',
    '',
    `When the operator hands out another ${CLIENT_FILE}, put it in the place of this one: your profile stays as it is.`,
    `${LINKED_FILE} is what is linked into it, for who writes a client of their own; nobody else needs it.`,
    'A client of retired keys, or one that is too old, says so and is answered no more.',
    '',
  ].join('\n');
}
