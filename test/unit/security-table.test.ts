/** SECURITY.md names tests: each of them is there, so that the table does not outlive what holds it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';

test('every test that SECURITY.md names exists, and every number in its table is one of them', async (t) => {
  const text = await readFile(join(process.cwd(), 'SECURITY.md'), 'utf8');
  const titles = [...text.matchAll(/^\d+\. (.+)$/gm)].map(([, title]) => title ?? '');
  t.ok(titles.length > 20);
  const files = (await readdir(join(process.cwd(), 'test'), { recursive: true })).filter((file) =>
    file.endsWith('.test.ts'),
  );
  const sources = await Promise.all(files.map((file) => readFile(join(process.cwd(), 'test', file), 'utf8')));
  const named = sources.flatMap((source) =>
    [...source.matchAll(/^\s*(?:void )?test\(\s*[`'"](.+?)[`'"],/gms)].map(([, name]) => name ?? ''),
  );
  for (const title of titles)
    t.ok(
      named.some((name) => name.includes(title)),
      title,
    );
  const numbers = [...text.matchAll(/\[(\d+(?:, \d+)*)\]/g)].flatMap(([, list]) =>
    (list ?? '').split(', ').map(Number),
  );
  t.same(
    [...new Set(numbers)].sort((a, b) => a - b),
    titles.map((_, i) => i + 1),
    'and none is there for nothing',
  );
});
