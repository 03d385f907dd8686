// What the scripts share. It runs before anything is installed: Node alone.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

/** The network of this tree, for everybody who tries it out. */
export const DEV = 'dev';

/** Programs of packages, run by this Node: npx would answer with its own notices. */
export const tools = {
  tsc: 'node_modules/typescript/bin/tsc',
  eslint: 'node_modules/eslint/bin/eslint.js',
  prettier: 'node_modules/prettier/bin/prettier.cjs',
  depcruise: 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs',
  knip: 'node_modules/knip/bin/knip.js',
  c8: 'node_modules/c8/bin/c8.js',
  publint: 'node_modules/publint/src/cli.js',
};

export const lock = join(root, 'package-lock.json');
const installed = join(root, 'node_modules/.cadenas-lock');

/** Runs work on all of them, in their order, so many at once. */
export async function several(items, atOnce, work) {
  const waiting = [...items];
  const worker = async () => {
    while (waiting.length > 0) await work(waiting.shift());
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

/** One line on stderr, where progress goes: stdout belongs to what was asked for. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/** Ends the script with one line. */
export function fail(line) {
  say(line);
  process.exit(1);
}

/** Runs a program in the project's folder; its exit code, 128 where a signal ended it. */
export function attempt(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 128));
  });
}

/** The same; a failure ends the script with the program's exit code. */
export async function run(command, args, options) {
  const code = await attempt(command, args, options);
  if (code !== 0) process.exit(code);
}

/** stdout of the program becomes our stderr. */
const toStderr = { stdio: ['ignore', process.stderr, process.stderr] };

/** Installs exactly what the folder's package-lock.json names, hashes checked. @returns npm's exit code */
export function npmCi(folder = root) {
  // A killed npm pack leaves it, and npm would take it for the lock.
  rmSync(join(folder, 'npm-shrinkwrap.json'), { force: true });
  // Under npm, the npm that runs us; npm itself is a JavaScript program.
  const npm = process.env.npm_execpath;
  const [command, ...args] = npm?.endsWith('.js') ? [process.execPath, npm, 'ci'] : ['npm', 'ci'];
  return attempt(command, [...args, '--prefix', folder, '--loglevel=error', '--no-fund'], toStderr);
}

/** `npm ci` where package-lock.json is not the one that was installed. */
export async function ensureInstalled() {
  const hash = createHash('sha256').update(readFileSync(lock)).digest('hex');
  if (existsSync(installed) && readFileSync(installed, 'utf8') === hash) return;
  say('installing the packages of package-lock.json …');
  if ((await npmCi()) !== 0) fail('npm ci failed; see above, then try again');
  writeFileSync(installed, hash);
}

/** The rooms that people run, without the tests: what a start needs. */
export const PROGRAMS = ['src/server', 'src/keys', 'src/faces/cli'];

/** Whether it compiles: the rooms that are named, or everything. The compiler's messages go to stderr. */
export async function compiles(...rooms) {
  return (await attempt(process.execPath, [tools.tsc, '-b', ...rooms], toStderr)) === 0;
}

export async function compile(...rooms) {
  if (!(await compiles(...rooms))) fail('it does not compile; see above');
}

export function keysExist(network = DEV) {
  return existsSync(join(root, 'keys', network));
}

/** cadenas-keys with the project's folder as its own; what it prints goes to stderr. */
export async function cadenasKeys(...args) {
  await run(process.execPath, ['bin/cadenas-keys', ...args], toStderr);
}

/** The same for those who did not ask for it: its errors alone are shown. */
export async function cadenasKeysQuietly(...args) {
  await run(process.execPath, ['bin/cadenas-keys', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Arguments that link the client that bin/cadenas runs. */
export const linkDevClient = ['link', '--network', DEV, '--out', 'dist/client'];
