// Runs one test file and reads its TAP (https://testanything.org/tap-version-14-specification.html).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as setTimer } from 'node:timers/promises';
import { root } from './lib.mjs';

/** A file that takes longer has failed, in ms. One test in it may take half of that. */
const FILE_MS = 480_000;
/** Files under way together, on two processors or more: much of a test is waiting for a process, a disk, a timer. */
export const AT_ONCE = 3;
/** Of a failing test and of the file's stderr, so many last lines are shown. */
const DETAIL_LINES = 150;

/** What is still open so long after its end, in ms, is held by a process that the file left running. */
const AFTER_MS = 5_000;

const running = new Set();
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.on(signal, () => {
    for (const pid of running) killGroup(pid);
    process.exit(code);
  });

/**
 * @param file below dist/test
 * @param bin the Node that runs it, and all that it starts
 * @returns how many passed, the names of what failed, and the lines that tell why
 */
export async function runTestFile(file, bin = process.execPath) {
  const began = performance.now();
  // Programs find their Node by their first line, people by the name: both look in PATH.
  const PATH = [dirname(bin), process.env.PATH].join(delimiter);
  const child = spawn(bin, ['--enable-source-maps', `dist/test/${file}`], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH, TAP_TIMEOUT: String(FILE_MS / 2000) },
    detached: true,
  });
  running.add(child.pid);
  let late = false;
  const deadline = setTimeout(() => {
    late = true;
    killGroup(child.pid);
  }, FILE_MS);
  const tap = new TapReader();
  const errors = [];
  createInterface(child.stdout).on('line', (line) => tap.line(line));
  createInterface(child.stderr).on('line', (line) => keepLast(errors, line));
  const closed = once(child, 'close');
  const [code, signal] = await once(child, 'exit');
  clearTimeout(deadline);
  killGroup(child.pid);
  running.delete(child.pid);
  const left = await Promise.race([closed.then(() => false), setTimer(AFTER_MS, true, { ref: false })]);
  for (const pipe of [child.stdout, child.stderr]) pipe.destroy();

  const failures = tap.end();
  if (left) failures.push('it left a process running');
  if (late) failures.push(`not done after ${String(FILE_MS / 1000)} s`);
  else if (failures.length === 0 && code !== 0) failures.push(`ended with ${signal ?? `exit code ${String(code)}`}`);
  const detail = [...tap.detail, ...errors].map((line) => `  ${line}`).join('\n');
  return { passed: tap.passed, failures, detail, seconds: (performance.now() - began) / 1000 };
}

/** A test file leads a process group, in which everything is that it started. */
function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error; // ESRCH: nothing was left
  }
}

function keepLast(lines, line) {
  lines.push(line);
  if (lines.length > DETAIL_LINES) lines.shift();
}

/**
 * Counts the tests of a file: the results at its margin. What is skipped counts as failed: nothing is left
 * out in silence.
 */
class TapReader {
  passed = 0;
  /** Lines of the tests that failed. */
  detail = [];
  #failures = [];
  #section = { lines: [], failed: false };
  #yaml = '';
  #planned = -1;
  #seen = 0;

  line(line) {
    const yaml = this.#inYaml(line);
    const result = yaml ? undefined : /^( *)(not )?ok\b(?: \d+)?(?: - )?(.*)$/.exec(line)?.slice(1);
    if (!yaml && line.startsWith('# Subtest')) this.#flush();
    keepLast(this.#section.lines, line);
    if (result) this.#result(...result);
    if (yaml) return;
    this.#planned = Number(/^1\.\.(\d+)/.exec(line)?.[1] ?? this.#planned);
    if (line.startsWith('Bail out!')) this.#failed(line);
  }

  #result(margin, not, rest) {
    const [name, directive] = rest.replace(/ # time=[\d.]+m?s.*$/, '').split(/ # (?=skip|todo)/i);
    if (margin === '') this.#seen++;
    if (directive !== undefined) this.#failed(`${name} (${directive})`);
    else if (margin === '' && not) this.#failed(name);
    else if (margin === '') this.passed++;
  }

  /** A block of YAML tells more of the result above it; nothing in it is a result. */
  #inYaml(line) {
    const ended = this.#yaml !== '' && line === `${this.#yaml}...`;
    const inside = this.#yaml !== '';
    if (ended) this.#yaml = '';
    else if (!inside) this.#yaml = /^( +)---$/.exec(line)?.[1] ?? '';
    return inside || this.#yaml !== '';
  }

  #failed(name) {
    this.#failures.push(name);
    this.#section.failed = true;
  }

  #flush() {
    if (this.#section.failed) this.detail.push(...this.#section.lines);
    this.#section = { lines: [], failed: false };
  }

  end() {
    if (this.#planned === -1) this.#failed('it ended before its plan');
    else if (this.#planned === 0) this.#failed('it holds no tests');
    else if (this.#planned !== this.#seen) this.#failed(`${this.#planned} tests planned, ${this.#seen} seen`);
    this.#flush();
    return this.#failures;
  }
}
