/** Keys out of the bytes of a terminal. */
import { test } from 'tap';
import { KeyDecoder, SEQUENCE_MAX } from '../../src/faces/tui/text/keys.js';
import type { Key } from '../../src/faces/tui/text/key.js';
import { PASTE_MAX } from '../../src/faces/tui/text/paste.js';
import { Seeded } from '../vectors/seeded.js';
import { escaped, newSeed } from './hostile-text.js';

const seed = newSeed();
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');

function name(key: Key): string {
  switch (key.type) {
    case 'key':
      return `${key.ctrl ? 'C-' : ''}${key.alt ? 'A-' : ''}${key.shift ? 'S-' : ''}${key.name}`;
    case 'text':
    case 'paste':
      return `${key.type}:${key.text}`;
    case 'focus':
      return key.focused ? 'focus' : 'blur';
    case 'unknown':
      return '?';
  }
}

/** As names, with texts that follow each other as one. */
function names(keys: readonly Key[]): string[] {
  const all: string[] = [];
  let text = '';
  for (const key of [...keys, undefined]) {
    if (key?.type === 'text') text += key.text;
    else {
      if (text !== '') all.push(`text:${text}`);
      text = '';
      if (key) all.push(name(key));
    }
  }
  return all;
}

function decode(bytes: Uint8Array, sizes: (left: number) => number = (left) => left): string[] {
  const decoder = new KeyDecoder();
  const keys: Key[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = Math.max(1, sizes(bytes.length - at));
    keys.push(...decoder.feed(bytes.subarray(at, at + size)));
    at += size;
  }
  return names([...keys, ...decoder.flush()]);
}

const cases: Readonly<Record<string, readonly string[]>> = {
  'hello é語😄': ['text:hello é語😄'],
  '\r': ['enter'],
  'a\rb': ['text:a', 'enter', 'text:b'],
  '\n': ['C-j'],
  '\x1b\r': ['A-enter'],
  '\t\x1b[Z': ['tab', 'S-tab'],
  '\x7f\x08\x1b\x7f': ['backspace', 'backspace', 'A-backspace'],
  '\x01\x1a\x1f\x00': ['C-a', 'C-z', 'C-_', 'C-space'],
  '\x1b[H\x1bOH\x1b[1~\x1b[7~': ['home', 'home', 'home', 'home'],
  '\x1b[F\x1bOF\x1b[4~\x1b[8~': ['end', 'end', 'end', 'end'],
  '\x1b[A\x1bOB\x1b[1;5C\x1b[1;3D\x1b[1;2A': ['up', 'down', 'C-right', 'A-left', 'S-up'],
  '\x1b[a\x1bOd\x1b\x1b[A': ['S-up', 'C-left', 'A-up'],
  '\x1b[2~\x1b[3~\x1b[5~\x1b[6~\x1b[3;5~\x1b[3^': ['insert', 'delete', 'pageup', 'pagedown', 'C-delete', 'C-delete'],
  '\x1bOP\x1b[11~\x1b[[A\x1b[15~\x1b[24~\x1b[1;5R': ['f1', 'f1', 'f1', 'f5', 'f12', 'C-f3'],
  '\x1ba\x1bA\x1b5\x1b,\x1b \x1bé': ['A-a', 'A-S-a', 'A-5', 'A-,', 'A-space', 'A-é'],
  '\x1b': ['escape'],
  '\x1b\x1b': ['escape', 'escape'],
  '\x1b\x1b\x1b': ['escape', 'escape', 'escape'],
  '\x1b\x1bx': ['escape', 'A-x'],
  '\x1b[': ['A-['],
  '\x1bO': ['A-S-o'],
  '\x1b]': ['A-]'],
  '\x1b[I\x1b[O': ['focus', 'blur'],
  '\x1b[13;2u\x1b[27;2;13~\x1b[13;5u\x1b[97;5u\x1b[97;2u\x1b[97;1:3u': [
    'S-enter',
    'S-enter',
    'C-enter',
    'C-a',
    'text:A',
    '?',
  ],
  'a\x1b[<0;10;20Mb\x1b[<0;10;20mc': ['text:a', '?', 'text:b', '?', 'text:c'],
  'a\x1b[M !!b': ['text:a', '?', 'text:b'],
  'a\x1b[?62;4cb\x1b[24;80Rc\x1b[1;1Rd': ['text:a', '?', 'text:b', '?', 'text:c', '?', 'text:d'],
  'a\x1b]11;rgb:0/0/0\x1b\\b\x1b]11;x\x07c\x1bP1$r\x1b\\d': ['text:a', '?', 'text:b', '?', 'text:c', '?', 'text:d'],
  '\x1b]11;rgb\r': ['?', 'enter'],
  '\x1b[1;\r': ['?', 'enter'],
  '\x1b[1;\x1b[A': ['?', 'up'],
  '\x1b[é': ['?', 'text:é'],
  '\x1bOp\x1bOk\x1bOM': ['text:0+', 'enter'],
  'a\u0085b': ['text:ab'],
  '\x1b[200~one\r\ntwo\rthree\n\tx\x07\x1b[31m\x1b[201~z': ['paste:one\ntwo\nthree\n\tx[31m', 'text:z'],
  '\x1b[200~a\x1b[200~\x1b[20\x1b\x1b[201~': ['paste:a[200~[20'],
  '\x1b[200~a\x1b[20\x1b[201~': ['paste:a[20'],
  '\x1b[201~': ['?'],
  '\x1b[200~\x1b[201~': ['paste:'],
  '\x1b[;5u\x1b[27;5;1:3~\x1b[0u\x1b[9999999u\x1b[57414u\x1b[55296u': ['?', '?', '?', '?', '?', '?'],
  [`\x1b[${'1'.repeat(SEQUENCE_MAX + 9)}Ax`]: ['?', 'text:x'],
  [`\x1b]${'y'.repeat(100_000)}\x07x`]: ['?', 'text:x'],
};

test('what terminals send, as a whole and byte by byte', (t) => {
  for (const [text, keys] of Object.entries(cases)) {
    t.same(decode(bytesOf(text)), keys, JSON.stringify(text).slice(0, 80));
    t.same(
      decode(bytesOf(text), () => 1),
      keys,
      'byte by byte',
    );
  }
  t.end();
});

test('what is no UTF-8 is U+FFFD', (t) => {
  const shown = (...bytes: number[]): string[] => decode(Uint8Array.from(bytes));
  t.same(shown(0x61, 0xff, 0x62), ['text:a\ufffdb']);
  t.same(shown(0xc3, 0x0d), ['text:\ufffd', 'enter']);
  t.same(shown(0xed, 0xa0, 0x80), ['text:\ufffd\ufffd\ufffd']);
  t.same(shown(0x1b, 0xff, 0x61), ['text:\ufffda']);
  t.same(shown(0x1b, 0xc3, 0xc3, 0xa9), ['text:\ufffdé']);
  t.same(shown(0x1b, 0xc3, 0x61), ['text:\ufffda']);
  t.same(shown(0xef, 0xbb, 0xbf, 0x61), ['text:\ufeffa']);
  t.end();
});

test('what waits is told', (t) => {
  const decoder = new KeyDecoder();
  for (const part of ['\x1b', '\x1b[', '\x1bO', '\x1b[1;', '\x1b]11;x', '\x1b]x\x1b', '\x1b[M!', '\x1b[[']) {
    t.same(decoder.feed(bytesOf(part)), [], JSON.stringify(part));
    t.ok(decoder.pending);
    t.ok(decoder.flush().length > 0);
    t.notOk(decoder.pending);
    t.same(decoder.flush(), []);
  }
  for (const part of [bytesOf('a'), Uint8Array.of(0xc3), bytesOf('\x1b[200~abc\x1b[20')]) {
    decoder.feed(part);
    t.notOk(decoder.pending);
    t.same(decoder.flush(), []);
  }
  t.same(names(decoder.feed(bytesOf('1~'))), ['paste:abc'], 'a paste outlasts the timer');
  t.end();
});

test('a paste without an end gives what came of it, and keys are keys again', (t) => {
  const decoder = new KeyDecoder();
  t.same(decoder.feed(bytesOf('\x1b[200~half a pas')), []);
  t.ok(decoder.isPasting);
  t.same(names(decoder.endPaste()), ['paste:half a pas']);
  t.notOk(decoder.isPasting);
  t.same(names(decoder.feed(bytesOf('x'))), ['text:x']);
  t.same(decoder.endPaste(), [], 'there is none');
  t.end();
});

test('a lone Esc is told from the beginning of a sequence', (t) => {
  const decoder = new KeyDecoder();
  decoder.feed(bytesOf('\x1b'));
  t.ok(decoder.pending && decoder.isEscape);
  decoder.feed(bytesOf('[1;5'));
  t.ok(decoder.pending && !decoder.isEscape, 'its rest may come late');
  t.same(names(decoder.feed(bytesOf('C'))).length, 1);
  t.notOk(decoder.pending);
  t.end();
});

test('a paste has a limit, and its end all the same', (t) => {
  const long = `${'a'.repeat(PASTE_MAX - 1)}éb\x1b[201~c`;
  for (const size of [1 << 16, 4099]) {
    const [paste = '', after] = decode(bytesOf(`\x1b[200~${long}`), () => size);
    t.ok(paste === `paste:${'a'.repeat(PASTE_MAX - 1)}`, 'half a character is left out');
    t.equal(after, 'text:c');
  }
  const whole = 'é'.repeat(PASTE_MAX / 2);
  t.ok(decode(bytesOf(`\x1b[200~${whole}\x1b[201~`))[0] === `paste:${whole}`);
  t.end();
});

test(`any split gives the same keys (SEED=${seed})`, (t) => {
  const random = new Seeded(seed);
  const pieces = [
    ...Object.keys(cases).filter((text) => text.length < 200),
    '[',
    '1',
    ';',
    '~',
    '\x1b',
    'M',
    '\x1b[20',
  ];
  let wrong: string | undefined;
  for (let round = 0; round < 3_000 && wrong === undefined; round++) {
    const parts = Array.from({ length: 1 + random.below(8) }, () =>
      random.below(6) === 0 ? random.bytes(1 + random.below(6)) : bytesOf(random.pick(pieces)),
    );
    const bytes = Buffer.concat(parts);
    const whole = decode(bytes);
    const split = decode(bytes, (left) => random.below(Math.min(left, 5) + 1));
    const single = decode(bytes, () => 1);
    const texts = whole.filter((key) => key.startsWith('text:') || key.startsWith('paste:')).join('');
    // eslint-disable-next-line no-control-regex -- finding control characters is the purpose
    const leaked = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]|\p{Cs}/u.test(texts);
    const same = escaped(whole) === escaped(split) && escaped(whole) === escaped(single);
    if (leaked || !same) wrong = escaped({ bytes: bytes.toString('hex'), whole, split, single });
  }
  t.equal(wrong, undefined);
  t.end();
});
