/** Links a client: one file that runs with Node alone and knows one network. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { hex, linkedGenerations, type LinkedGeneration, type LinkedNetwork } from '../../protocol/index.js';
import { clientFile, networkOfClient } from './client-file.js';
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

interface ClientOf {
  readonly network: string;
  /** The folder that holds networks. */
  readonly keys: string;
  /** HOST:PORT of the daemon, for whoever says nothing else. */
  readonly server?: string | undefined;
  readonly entry?: string;
}

export interface BundleRequest extends ClientOf {
  /** The file; undefined: `cadenas-NETWORK.mjs` in the current folder. */
  readonly out?: string;
}

export interface LinkRequest extends ClientOf {
  /** Where the client goes, with what explains it; made where it is missing. */
  readonly out: string;
}

export interface LinkedClient {
  readonly path: string;
  readonly linked: LinkedNetwork;
  /** Of the file, lower-case hexadecimal. */
  readonly sha256: string;
}

/**
 * Writes a client into one file, mode 0755. Equal trees give equal bytes, so that it can be checked by its hash.
 * @throws KeysRefusal where the keys can't be used, nothing is compiled, or something else is in the file's place
 */
export async function bundleClient({ out, ...of }: BundleRequest): Promise<LinkedClient> {
  checkNetworkName(of.network);
  const path = out ?? `cadenas-${of.network}.mjs`;
  // Node takes it for a module by its ending; the rest can be typed anywhere, and stands in a line of sha256sum.
  if (!/^\w[\w.-]*\.mjs$/.test(basename(path)))
    throw new KeysRefusal(`${path} is no name for a client; use letters, digits and . _ - with .mjs at the end`);
  return writeClient(of, path);
}

/**
 * The same as DIR/cadenas.mjs, with README.txt and linked.json beside it.
 * @throws KeysRefusal as `bundleClient`
 */
export async function linkClient({ out, ...of }: LinkRequest): Promise<LinkedClient> {
  if (existsSync(out) && !statSync(out).isDirectory())
    throw new KeysRefusal(`${out} is not a folder; choose another --out`);
  const client = await writeClient(of, join(out, CLIENT_FILE));
  replaceFile(join(out, LINKED_FILE), `${JSON.stringify(client.linked, undefined, 2)}\n`, 0o644);
  replaceFile(join(out, README_FILE), readme(client.linked), 0o644);
  return client;
}

async function writeClient(
  { network, keys, server, entry = clientEntry }: ClientOf,
  path: string,
): Promise<LinkedClient> {
  checkNetworkName(network);
  const linked = linkedNetwork(join(keys, network), network, server);
  refuseOther(path, network);
  if (!existsSync(entry)) throw new KeysRefusal(`the client is not compiled (no ${entry}); run: npm run compile`);
  const bytes = await clientFile(linked, resolve(entry));
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  replaceFile(path, bytes, 0o755);
  return { path, linked, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/**
 * Field by field, so that nothing private can slip in with a spread. Version, build and table are those of
 * the program that is bundled here, which may be newer than the keys.
 */
export function linkedNetwork(folder: string, network: string, server?: string): LinkedNetwork {
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
    ...(server === undefined ? {} : { server }),
  };
  wipe(files);
  return linked;
}

function linkedGeneration({ generation, networkKey, serverModulus }: GenerationFiles): LinkedGeneration {
  return { generation, networkKey: hex(networkKey), serverModulus: hex(serverModulus) };
}

function refuseOther(path: string, network: string): void {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there && !(there.isFile() && networkOfClient(path) === network))
    throw new KeysRefusal(`${path} is not a client of network ${network}; choose another --out, or remove it`);
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
