/** The opcode tables of releases, and which clients are served where an operator says nothing. */
import { test } from 'tap';
import { hex } from '../../protocol/index.js';
import { buildNumber, thisProgram } from '../../src/keys/program.js';
import { oldestServed, releases } from '../../src/server/releases.js';

test('the last line is of this minor version, and its table the one of this program', (t) => {
  const { build, table } = thisProgram();
  const last = releases.at(-1);
  t.equal(last?.build, build - (build % 1000), 'a new minor version has a line of its own');
  t.equal(last?.table, hex(table), 'after a release a table changes with the minor version alone: add a line');
  const builds = releases.map((release) => release.build);
  t.same(
    builds,
    [...new Set(builds)].sort((a, b) => a - b),
    'the oldest first, each once',
  );
  for (const release of releases) {
    t.equal(release.build % 1000, 0);
    t.match(release.table, /^[0-9a-f]{64}$/);
  }
  t.end();
});

test('the minor version before this one is served, without it this one', (t) => {
  const first = releases[0]?.build ?? 0;
  t.equal(oldestServed(first), first);
  t.equal(oldestServed(first + 7), first, 'a patch changes nothing');
  const last = releases.at(-1)?.build ?? 0;
  t.equal(oldestServed(last + 1000), last, 'of a version that has no line yet');
  t.equal(oldestServed(buildNumber('999.0.0')), last);
  t.end();
});
