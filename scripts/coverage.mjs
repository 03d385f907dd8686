// npm run coverage: every line and branch of protocol/, src/crypto/ and src/wire/ is run by the tests of those rooms.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, compiles, ensureInstalled, fail, root, several, tools } from './lib.mjs';
import { missingNodes, oldestAndNewest } from './nodes.mjs';
import { AT_ONCE, runTestFile } from './tap-file.mjs';

const rooms = ['protocol', 'src/crypto', 'src/wire'];
/** The tests that are about these rooms: what a scenario happens to pass through is not tested by it. */
const tests = ['unit/protocol-', 'unit/crypto-', 'vectors/', 'fuzz/codec', 'fuzz/handshake'];

await ensureInstalled();
if (!(await compiles())) fail('coverage: it does not compile; see above');
const missing = await missingNodes();
if (missing) fail(`coverage: ${missing}`);
const raw = join(root, 'dist/coverage');
rmSync(raw, { recursive: true, force: true });
const files = readdirSync(join(root, 'test'), { recursive: true })
  .filter((file) => file.endsWith('.test.ts') && tests.some((part) => file.startsWith(part)))
  .map((file) => file.replace(/\.ts$/, '.js'));

// What a newer Node has itself is run under that one alone, what stands in for it under an older one alone.
const { oldest, newest } = oldestAndNewest();
await runUnder(newest, files);
const before = new Set(readdirSync(raw));
await runUnder(
  oldest,
  files.filter((file) => file.startsWith('unit/crypto-')),
);
// Two versions see functions of classes in different ranges: of the older no more is taken than is wanted.
for (const file of readdirSync(raw).filter((name) => !before.has(name))) {
  const { result, ...rest } = JSON.parse(readFileSync(join(raw, file), 'utf8'));
  const wanted = result.filter(({ url }) => url.includes('/dist/src/crypto/'));
  writeFileSync(join(raw, file), JSON.stringify({ ...rest, result: wanted }));
}

process.exitCode = await attempt(process.execPath, [
  tools.c8,
  'report',
  ...['--temp-directory', raw, '--reporter', 'text', '--check-coverage', '--100'],
  ...rooms.flatMap((room) => ['--include', `dist/${room}/**`]),
]);

async function runUnder(bin, some) {
  // Each run the same: what only some seeds reach is not held.
  Object.assign(process.env, { NODE_V8_COVERAGE: raw, SEED: '1', CASES: '500' });
  let failed = 0;
  await several(some, AT_ONCE, async (file) => {
    const { failures, detail } = await runTestFile(file, bin);
    failed += failures.length;
    if (failures.length > 0) console.log(`FAIL ${file}\n${detail}`);
  });
  delete process.env.NODE_V8_COVERAGE;
  if (failed > 0) fail(`coverage: ${failed} tests failed`);
}
