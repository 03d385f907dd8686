// npm test, npm run test:system: runs test files and counts what they say.
// A tap test is a program that prints TAP. It runs here by Node alone: tap's own runner puts loaders into
// every process that a test starts, and so tests (and measures) other daemons and clients than people run.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compiles, ensureInstalled, fail, root, several } from './lib.mjs';
import { missingNodes, runsUnderNodes } from './nodes.mjs';
import { AT_ONCE, runTestFile } from './tap-file.mjs';

const suites = {
  npm: { folders: ['unit', 'vectors', 'fuzz', 'contract', 'scenario'], programs: [] },
  system: {
    folders: ['system'],
    // What the tests need of Debian: package, and how to see that it is there.
    programs: [
      { package: 'tmux', check: ['tmux', '-V'] },
      { package: 'python3', check: ['/usr/bin/python3', '--version'] },
      { package: 'python3-cryptography', check: ['/usr/bin/python3', '-c', 'import cryptography'] },
      { package: 'python3-argon2', check: ['/usr/bin/python3', '-c', 'import argon2'] },
      { package: 'python3-openssl', check: ['/usr/bin/python3', '-c', 'import OpenSSL'] },
      { package: 'zsh', check: ['zsh', '--version'] },
      { package: 'fish', check: ['fish', '--version'] },
      { package: 'man-db', check: ['lexgrog', '--version'] },
      { package: 'python3-yaml', check: ['/usr/bin/python3', '-c', 'import yaml'] },
      { package: 'openssl', check: ['openssl', 'version'] },
      { package: 'systemd', check: ['systemd-analyze', '--version'] },
    ],
    // The other folders' tests, as far as nodes.mjs names them, under each version of Node.
    underNodes: true,
  },
};

const name = process.argv[2] ?? '';
const suite = suites[name];
if (!suite) fail(`usage: node scripts/test.mjs ${Object.keys(suites).join('|')} [part of a file's name …]`);
const wanted = process.argv.slice(3);
const counts = join(root, `dist/test-counts-${name}.json`);
rmSync(counts, { force: true });

await ensureInstalled();
if (!(await compiles())) finish({ passed: 0, failed: 1 }, 'it does not compile; see above');
const missing = install(missingPrograms());
if (missing.length > 0)
  finish({ passed: 0, failed: 1 }, `these Debian packages are needed; as root: apt-get install ${missing.join(' ')}`);
const runs = suite.folders.flatMap(testFiles).map((file) => ({ name: file, file }));
const underNodes = suite.underNodes ? runsUnderNodes(suites.npm.folders.flatMap(testFiles)) : [];
/** The parts of a name that were asked for: `npm run test:system -- node22 vectors`. */
const isWanted = ({ name }) => wanted.every((part) => name.includes(part));
const why = suite.underNodes && (wanted.length === 0 || underNodes.some(isWanted)) ? await missingNodes() : undefined;
if (why) finish({ passed: 0, failed: 1 }, why);
const all = [...runs, ...underNodes].filter(isWanted);
if (all.length === 0) finish({ passed: 0, failed: 1 }, 'no test files found');
finish(await runAll(all));

/** From the sources: dist may still hold a test that is gone. */
function testFiles(folder) {
  return readdirSync(join(root, 'test', folder), { recursive: true })
    .filter((file) => file.endsWith('.test.ts'))
    .sort()
    .map((file) => `${folder}/${file.replace(/\.ts$/, '.js')}`);
}

function missingPrograms() {
  const there = ([command, ...args]) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
  return suite.programs.filter(({ check }) => !there(check)).map((program) => program.package);
}

/** Installs them where we may; what is still missing. */
function install(packages) {
  if (packages.length === 0 || process.geteuid?.() !== 0) return packages;
  console.log(`installing ${packages.join(' ')} …`);
  const options = {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  const done = [['update'], ['install', '-y', '--no-install-recommends', ...packages]].every(
    (args) => spawnSync('apt-get', ['-q', ...args], options).status === 0,
  );
  return done ? missingPrograms() : packages;
}

async function runAll(runs) {
  const total = { passed: 0, failed: 0 };
  await several(runs, AT_ONCE, async ({ name, file, bin }) => {
    const { passed, failures, seconds, detail } = await runTestFile(file, bin);
    total.passed += passed;
    total.failed += failures.length;
    const said = failures.length === 0 ? 'ok  ' : 'FAIL';
    console.log(`${said} ${name.padEnd(48)} ${String(passed).padStart(3)} passed  ${seconds.toFixed(1)} s`);
    if (failures.length > 0) console.log(`${detail}\n${failures.map((one) => `  failed: ${one}`).join('\n')}\n`);
  });
  return total;
}

function finish(total, why) {
  if (why) console.log(why);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(counts, JSON.stringify({ suite: name, ...total }));
  console.log(`${name}: ${total.passed} passed, ${total.failed} failed`);
  process.exit(total.failed === 0 ? 0 : 1);
}
