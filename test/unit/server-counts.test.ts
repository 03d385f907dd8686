/** What the daemon counts of frames, answers and logins. */
import { test } from 'tap';
import { Code, Opcode } from '../../protocol/index.js';
import { Counts, loginResults } from '../../src/server/counts.js';
import { findRow, rows } from '../../src/server/dispatch.js';

test('answers are counted by command and code, and what is no command as one', (t) => {
  const counts = new Counts(rows.length);
  t.same(counts.answers(), []);
  for (const code of [Code.done, Code.done, Code.queued, Code.storage]) counts.answer(Opcode.smpu, code);
  counts.answer(Opcode.dlac, Code.conflict);
  counts.answer(Opcode.rvum, Code.malformed);
  counts.answer(0xffffffff, Code.malformed);
  t.same(counts.answers(), [
    { command: 'other', code: 400, count: 2 },
    { command: 'smpu', code: 200, count: 2 },
    { command: 'smpu', code: 202, count: 1 },
    { command: 'smpu', code: 507, count: 1 },
    { command: 'dlac', code: 409, count: 1 },
  ]);
  t.equal(counts.refused(Opcode.smpu), 1);
  t.equal(counts.refused(Opcode.crms), 0);
  t.end();
});

test('each row of the table has a number of its own', (t) => {
  t.same(
    rows.map(({ number }) => number),
    rows.map((_, n) => n + 1),
  );
  t.equal(findRow(Opcode.smpu, 0), rows[(findRow(Opcode.smpu, 0)?.number ?? 0) - 1]);
  t.equal(new Counts(rows.length).frames.length, rows.length + 1);
  t.end();
});

test('logins by how they ended', (t) => {
  const counts = new Counts(1);
  for (const result of loginResults) counts.login(result);
  counts.login('password');
  t.same(counts.logins, { ok: 1, 'name or signature': 1, password: 2, 'words or code': 1, 'turned away': 1 });
  t.end();
});
