// npm run verify: every check of the source. All run, whatever fails.
import { spawn } from 'node:child_process';
import { ensureInstalled, root, several, tools } from './lib.mjs';

const steps = {
  compile: [tools.tsc, '-b'],
  format: [tools.prettier, '--check', '--log-level', 'warn', '.'],
  lint: [tools.eslint, '--max-warnings', '0', '.'],
  arrows: [tools.depcruise, '--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'src', 'protocol', 'test'],
  'dead code': [tools.knip, '--no-progress'],
  package: [tools.publint, '--strict', '.'],
};

/** Runs one step; prints its time, and what it said where it failed. */
function check([name, args]) {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const pipe of [child.stdout, child.stderr]) pipe.setEncoding('utf8').on('data', (text) => (said += text));
    child.on('error', reject);
    child.on('close', (code) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(10)} ${seconds.padStart(5)} s`);
      if (code !== 0) console.log(said.trim().replace(/^/gm, '     '));
      resolve(code === 0);
    });
  });
}

await ensureInstalled();
const [compile, ...others] = Object.entries(steps);
// The compiler first: it writes what the tests of other steps read; the others two by two.
const results = [await check(compile)];
await several(others, 2, async (step) => results.push(await check(step)));
const failed = results.filter((good) => !good).length;
console.log(failed === 0 ? 'verify: all checks passed' : `verify: ${failed} of ${results.length} checks failed`);
process.exitCode = failed === 0 ? 0 : 1;
