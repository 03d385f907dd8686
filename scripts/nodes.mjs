// The versions of Node that npm run test:system runs tests under: those of test/nodes/package-lock.json.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmCi, root } from './lib.mjs';

const folder = join(root, 'test/nodes');

/** What runs under each of them … */
const everywhere = ['vectors/', 'scenario/', 'unit/crypto-'];
/** … without the long ones, on the store's files and on a thousand logins' times, which npm test runs. */
const long = ['scenario/cases-store', 'scenario/kill-loop', 'scenario/login-times', 'scenario/store-limits'];
/** Under the version of the same major as the Node that runs this, which npm test puts to all tests: only these. */
const inShort = ['vectors/', 'scenario/cases-commands', 'scenario/one-node', 'unit/crypto-'];
/** With NODES=some, as .ci/run has it: of the scenarios those in which Node itself does most. */
const some = ['cases-link', 'cases-path', 'epochs', 'keys-commands', 'one-node'];
const inHaste = ['vectors/', 'unit/crypto-', ...some.map((name) => `scenario/${name}`)];

function runsUnder(major, file) {
  const isOf = (parts) => parts.some((part) => file.startsWith(part));
  if (major === parseInt(process.versions.node)) return isOf(inShort);
  return isOf(process.env.NODES === 'some' ? inHaste : everywhere) && !isOf(long);
}

/** Those for this machine, by the names that package.json gives them. */
function pinned() {
  const suffix = `-${process.platform}-${process.arch}`;
  const { packages } = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path]) => path.endsWith(suffix))
    .map(([path, { version }]) => ({ version, bin: join(folder, path, 'bin/node') }));
}

/** Which of the test files run under which Node: `name` is `node22.1.0 scenario/…`, `bin` the Node. */
export function runsUnderNodes(files) {
  return pinned().flatMap(({ version, bin }) =>
    files
      .filter((file) => runsUnder(parseInt(version), file))
      .map((file) => ({ name: `node${version} ${file}`, file, bin })),
  );
}

/** Of all of them the one that has least itself, and the one that has most. */
export function oldestAndNewest() {
  const [oldest, ...others] = pinned().sort((a, b) => parseInt(a.version) - parseInt(b.version));
  return { oldest: oldest.bin, newest: (others.at(-1) ?? oldest).bin };
}

/** Installs them where they are not there yet. @returns why they can't be had, or undefined */
export async function missingNodes() {
  const nodes = pinned();
  if (nodes.length === 0)
    return `test/nodes has Node for Linux on x64 and arm64, not for ${process.platform} on ${process.arch}`;
  const missing = () =>
    nodes
      .filter(
        ({ version, bin }) => spawnSync(bin, ['--version'], { encoding: 'utf8' }).stdout?.trim() !== `v${version}`,
      )
      .map(({ version }) => version)
      .join(', ');
  if (missing() === '') return undefined;
  console.log(`installing Node ${missing()} …`);
  // npm passes over what it can't get and what has another hash: they are optional, since each is for one machine.
  await npmCi(folder);
  if (missing() === '') return undefined;
  return `Node ${missing()} could not be installed; npm ci --prefix test/nodes --loglevel=verbose says why`;
}
