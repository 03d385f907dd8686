/** Names on the wire and names that people type (SPEC 3.6), and the small helpers for bytes. */
import { test } from 'tap';
import {
  canonicalPassword,
  canonicalWords,
  check,
  concat,
  encode,
  fromHex,
  fromUtf8,
  hex,
  isName,
  isZero,
  readUint,
  samePublic,
  structs,
  toName,
  u64,
  utf8,
  writeUint,
} from '../../protocol/index.js';
import { headerFor, Seeded } from '../vectors/seeded.js';

const good = ['abc', 'a_1', 'user23', 'z'.repeat(32), 'a__'];
const bad: Readonly<Record<string, string>> = {
  empty: '',
  'two letters': 'ab',
  '33 letters': 'a'.repeat(33),
  'a capital letter': 'User',
  'a digit first': '1user',
  'an underscore first': '_user',
  'a path': '../user',
  'a NUL': 'user\0x',
  'a space': 'user x',
  'a newline behind': 'user\n',
  'a Cyrillic letter': 'us\u0435r',
  'a fullwidth letter': '\uff55ser',
  'a combining mark': 'use\u0301r',
  'a zero-width joiner': 'use\u200dr',
  'a bidi control': 'user\u202e',
  'an escape sequence': 'user\u001b[31m',
  'a dash': 'user-x',
};

test('names', (t) => {
  for (const name of good) t.ok(isName(name), name);
  for (const [what, name] of Object.entries(bad)) t.notOk(isName(name), what);
  t.end();
});

test('a decoder accepts exactly these names', (t) => {
  const struct = encode(structs.keyq, headerFor(new Seeded('names'), structs.keyq), { name: 'abc' });
  const withName = (name: Uint8Array): Uint8Array => {
    const bytes = struct.slice();
    bytes.fill(0, 30, 62);
    bytes.set(name.subarray(0, 32), 30);
    return bytes;
  };
  for (const name of good) t.equal(check(structs.keyq, withName(utf8(name))), undefined, name);
  for (const [what, name] of Object.entries(bad)) {
    if (utf8(name).length > 32) continue; // no room for it in the field
    t.ok(['name', 'padding'].includes(check(structs.keyq, withName(utf8(name))) ?? ''), what);
  }
  t.equal(check(structs.keyq, withName(Uint8Array.of(0x61, 0xc1, 0xa2, 0x61))), 'name', 'overlong UTF-8');
  t.equal(check(structs.keyq, withName(Uint8Array.of(0x61, 0x61, 0x61, 0x80))), 'name', 'a lone continuation byte');
  t.equal(
    check(structs.keyq, withName(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0x61, 0x61))),
    'name',
    'a byte-order mark',
  );
  t.end();
});

test('what people type', (t) => {
  t.equal(toName('@User'), 'user');
  t.equal(toName('USER_23'), 'user_23');
  t.equal(toName('@@user'), undefined);
  t.equal(toName('user '), undefined, 'nothing is trimmed');
  t.equal(toName('\u212aelvin'), undefined, 'the Kelvin sign is no k, though it lower-cases to one');
  t.equal(toName('us\u0435r'), undefined, 'Cyrillic');
  t.equal(toName('ab'), undefined);
  t.end();
});

test('the three words', (t) => {
  t.equal(canonicalWords('  One\t two \n\u00a0THREE '), 'one two three');
  t.equal(canonicalWords('\uff4fne two three'), 'one two three', 'NFKC');
  t.equal(canonicalWords('cafe\u0301 a b'), canonicalWords('caf\u00e9 a b'), 'composed and decomposed');
  const once = canonicalWords('\u0130STANBUL \u1e9e \u03a3\u03a3');
  t.equal(canonicalWords(once), once, 'once is enough');
  t.end();
});

test('bytes', (t) => {
  t.equal(hex(concat(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 255))), '0102ff');
  t.same(fromHex('00ff10'), Uint8Array.of(0, 255, 16));
  for (const text of ['0', 'FF', 'zz', ' 00', '0x00']) t.throws(() => fromHex(text), RangeError, text);
  t.ok(isZero(new Uint8Array(9)));
  t.notOk(isZero(Uint8Array.of(0, 0, 128)));
  t.ok(samePublic(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  t.notOk(samePublic(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  t.notOk(samePublic(Uint8Array.of(1, 2), Uint8Array.of(1)));
  t.equal(fromUtf8(Uint8Array.of(0xed, 0xa0, 0x80)), undefined, 'a surrogate is no UTF-8');
  t.equal(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), '\ufeffa', 'a byte-order mark is kept');
  for (const value of [0, 1, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER]) t.equal(readUint(u64(value), 0, 8), value);
  const out = new Uint8Array(4);
  writeUint(out, 1, 2, 0x1234);
  t.equal(hex(out), '00123400');
  t.end();
});

test('a password is the same however its letters are put together, and else as it was typed', (t) => {
  t.equal(canonicalPassword('cafe\u0301'), 'caf\u00e9');
  t.equal(canonicalPassword('caf\u00e9'), 'caf\u00e9');
  t.equal(canonicalPassword(' A\uff4f  '), ' A\uff4f  ');
  t.end();
});
