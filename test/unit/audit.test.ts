/** Unauthorised attempts on record: bounded, and nothing that was typed. */
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { nodeSync } from '../../src/crypto/index.js';
import { auditFileIn, auditFolder, auditPaths, FILES } from '../../src/ops/audit-file.js';
import { Audit, auditNameHash, type AuditLine } from '../../src/server/audit.js';
import { temporaryFolder } from '../support/temp.js';

const secret = new Uint8Array(32).fill(7);
const nameHash = (name: string): string => auditNameHash(nodeSync, secret, name);

function recorded(): { audit: Audit; lines: AuditLine[]; at: (time: number) => void } {
  const lines: AuditLine[] = [];
  let now = 1;
  const file = { write: (line: AuditLine) => lines.push(line), close: () => Promise.resolve() };
  return { audit: new Audit(file, nameHash, () => now), lines, at: (time) => (now = time) };
}

test('the first is written at once, its repeats as one number', async (t) => {
  const { audit, lines, at } = recorded();
  audit.add('words', '127.0.0.2', { uid: new Uint8Array(16).fill(1) });
  t.same(lines, [{ time: 1, reason: 'words', source: '127.0.0.2', uid: '01'.repeat(16), count: 1 }]);
  at(5);
  for (let n = 0; n < 9; n++) audit.add('words', '127.0.0.2', { uid: new Uint8Array(16).fill(1) });
  audit.add('words', '127.0.0.3', { uid: new Uint8Array(16).fill(1) });
  audit.add('name or signature', '127.0.0.2', { name: 'alice' });
  t.equal(lines.length, 3);
  t.match(lines[2]?.nameHash, /^[0-9a-f]{16}$/);
  t.equal(lines[2]?.nameHash, nameHash('alice'), 'the same for the same name');
  t.not(nameHash('alice'), auditNameHash(nodeSync, new Uint8Array(32), 'alice'), 'another in another network');
  await audit.close();
  t.same(lines.slice(3), [{ ...lines[0], time: 5, count: 9 }], 'at the end what was not told');
});

test('one source, and all together, begin so many lines a minute: the rest is counted, and none is lost', async (t) => {
  const { audit, lines } = recorded();
  for (let n = 0; n < 1000; n++) audit.add('name or signature', '127.0.0.2', { name: `name${String(n)}` });
  t.equal(lines.length, 33, 'then without who');
  t.equal(lines.at(-1)?.nameHash, undefined);
  for (let n = 0; n < 1000; n++) audit.add('password', `10.0.${String(n >> 8)}.${String(n & 255)}`, undefined);
  t.ok(lines.length < 260, String(lines.length));
  t.equal(lines.at(-1)?.source, '', 'then without source');
  await audit.close();
  t.equal(
    lines.reduce((sum, { count }) => sum + count, 0),
    2000,
  );
});

test('the files are one’s own, turn when they are long, and the oldest goes', async (t) => {
  const data = await temporaryFolder(t);
  const troubles: unknown[] = [];
  for (let round = 0; round < 2; round++) {
    const file = auditFileIn(data, (error) => troubles.push(error), 1000);
    for (let n = 0; n < 400; n++) {
      file.write({ n, round, hostile: '\u001b[2J\u202e' });
      if (n % 5 === 0) await file.close(); // until it is written; the next opens it again
    }
    await file.close();
  }
  t.same(troubles, []);
  t.equal((await readdir(auditFolder(data))).length, FILES);
  t.equal((await stat(auditFolder(data))).mode & 0o777, 0o700);
  let before = Infinity;
  for (const path of auditPaths(data)) {
    const { mode, size } = await stat(path);
    t.equal(mode & 0o777, 0o600);
    t.ok(size < 2_000, `${String(size)} bytes`);
    const text = await readFile(path, 'utf8');
    t.notOk(
      ['\u001b', '\u202e'].some((harm) => text.includes(harm)),
      'harmless to look at',
    );
    const numbers = text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { n: number }).n);
    t.ok((numbers.at(-1) ?? 0) < before, 'older ones behind newer ones');
    before = numbers[0] ?? 0;
  }
});

test('a line that was cut stays alone', async (t) => {
  const data = await temporaryFolder(t);
  const [path = ''] = auditPaths(data);
  await mkdir(auditFolder(data));
  await writeFile(path, '{"n":1}\n{"n":');
  const file = auditFileIn(data, (error) => t.error(error));
  file.write({ n: 2 });
  await file.close();
  t.equal(await readFile(path, 'utf8'), '{"n":1}\n{"n":\n{"n":2}\n');
});

test('what can’t be written is told, waits, and stops nothing', async (t) => {
  const data = await temporaryFolder(t);
  const troubles: unknown[] = [];
  await writeFile(auditFolder(data), 'in the way');
  const file = auditFileIn(data, (error) => troubles.push(error));
  file.write({ n: 1 });
  await file.close();
  t.equal(troubles.length, 2, 'told, and once more at the end');
  const again = auditFileIn(await temporaryFolder(t), (error) => troubles.push(error));
  const much = 'x'.repeat(600_000);
  for (let n = 0; n < 3; n++) again.write({ much });
  t.match(String(troubles.at(-1)), /lines are lost/);
  await again.close();
  t.equal(troubles.length, 3);
  const later = join(await temporaryFolder(t), 'data');
  const third = auditFileIn(later, (error) => troubles.push(error));
  third.write({ n: 1 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  await mkdir(later);
  third.write({ n: 2 });
  await third.close();
  t.equal(await readFile(auditPaths(later)[0] ?? '', 'utf8'), '{"n":1}\n{"n":2}\n', 'it waited');
  await chmod(later, 0o700);
});
