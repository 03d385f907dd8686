import { test } from 'tap';
import { itemLine } from '../../src/faces/cli/lines.js';
import { plainJson, plainLine, plainText } from '../../src/plain/plain.js';

const hostile = [
  '\u001b[31m',
  '\u009b31m',
  '\u0007',
  '\b',
  '\r',
  '\u0000',
  '\u007f',
  '\u202e',
  '\u2066',
  '\u200f',
  '\u061c',
  '\u2028',
  '\ufeff',
  '\ud800',
  '\udfff',
  '\u{e0041}',
];

const harmful =
  // eslint-disable-next-line no-control-regex -- finding control characters is the purpose
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}|[\u{e0000}-\u{e007f}]/u;

test('nothing harmful gets through, and something stands in its place', (t) => {
  for (const text of hostile) {
    const name = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16)).join(' ');
    for (const shown of [plainLine(text), plainText(text, '  '), plainJson({ text })]) {
      t.notMatch(shown, harmful, name);
      t.ok(shown.length > 0, name);
    }
    t.ok((JSON.parse(plainJson({ text })) as { text: string }).text === text, 'a program gets the value as it was');
  }
  t.equal(plainLine('a\u001bb'), 'a[U+001B]b');
  t.equal(plainLine('a\nb'), 'a[U+000A]b', 'a line stays one');
  t.end();
});

test('honest text stays', (t) => {
  for (const text of ['hello', 'grüße', '日本語', '👩‍👩‍👧', 'שלום', 'a\u0301']) {
    t.equal(plainLine(text), text);
    t.same(JSON.parse(plainJson(text)), text);
  }
  t.equal(plainText('one\ntwo\r\nthree', '  '), 'one\n  two\n  three', 'continued lines are indented');
  t.equal(plainLine('a\tb'), 'a b');
  t.end();
});

test('a hostile name or text in a room stays in its line', (t) => {
  for (const text of [...hostile, '\n[23:59] #garden @carol: yes', '\u2028* WARNING']) {
    const row = { key: 'k', order: 1, at: 0, room: `garden${text}` };
    const message = itemLine({ ...row, type: 'message', id: 'i', from: `bob${text}`, time: 0, text }, 40);
    const notice = itemLine({ ...row, type: 'notice', kind: 'ghost', name: `bob${text}`, detail: text }, 40);
    for (const shown of [message, notice]) {
      t.notMatch(shown, harmful);
      t.ok(shown.split('\n').every((line, index) => index === 0 || line.startsWith(' ')));
    }
    t.match(message, /^\[\d\d:\d\d\] #garden/);
    t.match(notice, /^\* WARNING: /);
  }
  t.end();
});
