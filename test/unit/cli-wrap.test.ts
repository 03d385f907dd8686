import { test } from 'tap';
import { historyLine, itemLine } from '../../src/faces/cli/lines.js';
import { lastingText, untilText } from '../../src/faces/wording/people.js';
import { wrap } from '../../src/faces/cli/wrap.js';

const message = (text: string) =>
  ({ type: 'message', key: 'k', order: 1, id: 'i', from: 'bob', time: 0, at: 0, text }) as const;

test('no text reaches the first column of a terminal', (t) => {
  const forged = '[23:59] @carol: I said yes';
  const texts = [
    'x'.repeat(61) + forged,
    `${'word '.repeat(12)}${forged}`,
    '語'.repeat(40) + forged,
    '🐴'.repeat(30) + forged,
    '👩‍👩‍👧'.repeat(40) + forged,
    ' '.repeat(200) + forged,
    `one\n${'y'.repeat(500)}\n\n${forged}`,
  ];
  for (const columns of [20, 40, 79, 80])
    for (const text of texts)
      for (const shown of [
        itemLine(message(text), columns),
        historyLine({ ...message(text), type: 'in', read: 0 }, columns),
      ]) {
        const [first = '', ...others] = shown.split('\n');
        t.match(first, /^\[\d\d:\d\d\] @bob: /);
        t.ok(others.length > 0);
        t.ok(
          others.every((row) => row.startsWith('        ')),
          'indented',
        );
        for (const row of [first, ...others]) {
          const width = [...row].reduce((sum, one) => sum + (/[語🐴👩👧]/u.test(one) ? 2 : 1), 0);
          t.ok(width <= columns, `${String(width)} of ${String(columns)}: ${row}`);
        }
      }
  t.end();
});

test('lines break after a space where there is one, and nothing is lost', (t) => {
  t.equal(wrap('> ', 'one two three', '    ', 10), '> one two\n    three');
  t.equal(wrap('> ', 'abcdefgh ijkl', '    ', 10), '> abcdefgh\n    ijkl');
  t.equal(wrap('> ', 'abcdefghijkl', '    ', 10), '> abcdefgh\n    ijkl');
  t.equal(wrap('> ', '\na', '    ', 10), '> \n    a');
  t.equal(wrap('long head: ', 'abc', '  ', 10), 'long head: \n  abc', 'a head without room for more');
  const text = 'x'.repeat(300);
  t.equal(wrap('> ', text, '    ', 33).replaceAll(/\n {4}/g, ''), `> ${text}`);
  t.equal(itemLine(message('z'.repeat(500))).split('\n').length, 1, 'off a terminal a line stays one');
  t.end();
});

test('the end of a session is told with its day', (t) => {
  const at = (day: number, hour: number) => new Date(2026, 4, day, hour, 30).getTime();
  t.equal(lastingText(at(7, 20), at(7, 8)), 'for 12 hours, until 20:30 today');
  t.equal(lastingText(at(8, 8), at(7, 20)), 'for 12 hours, until 08:30 tomorrow');
  t.equal(lastingText(at(9, 8), at(7, 20)), 'for 36 hours, until 08:30 on 2026-05-09');
  t.equal(lastingText(at(7, 20), at(7, 20) - 60_000), 'until 20:30 today');
  t.equal(untilText(at(7, 21), at(7, 20)), 'until 21:30 today');
  t.equal(lastingText(at(7, 21), at(7, 20)), 'for 1 hour, until 21:30 today');
  t.end();
});
