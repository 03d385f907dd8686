import { randomBytes } from 'node:crypto';
import { test } from 'tap';
import { readTypedCode, typedCode } from '../../protocol/index.js';

/* RFC 4648 section 10, in lower case and without padding. */
const known: readonly (readonly [string, string])[] = [
  ['', ''],
  ['f', 'my'],
  ['fo', 'mzxq'],
  ['foo', 'mzxw-6'],
  ['foob', 'mzxw-6yq'],
  ['fooba', 'mzxw-6ytb'],
  ['foobar', 'mzxw-6ytb-oi'],
];

void test('codes are base32 in groups', (t) => {
  for (const [plain, code] of known) {
    t.equal(typedCode(Buffer.from(plain)), code);
    t.same(Buffer.from(readTypedCode(code, plain.length) ?? []).toString(), plain);
  }
  for (let length = 0; length < 40; length++) {
    const bytes = randomBytes(length);
    t.same(Buffer.from(readTypedCode(typedCode(bytes), length) ?? [1]), bytes, `${String(length)} bytes`);
  }
  t.end();
});

void test('what was typed may differ in case, hyphens and spaces, and in nothing else', (t) => {
  const code = typedCode(Buffer.from('foobar'));
  const pasted = ['\u2010', '\u2011', '\u2013', '\u200b', '\u2060'].map((each) => code.replaceAll('-', each));
  for (const typed of [code.toUpperCase(), code.replaceAll('-', ''), ` ${code.replaceAll('-', ' ')}\n`, ...pasted])
    t.same(Buffer.from(readTypedCode(typed, 6) ?? []).toString(), 'foobar', JSON.stringify(typed));
  for (const typed of [code.slice(1), `${code}a`, code.replace('m', '1'), code.replace('m', 'é'), ''])
    t.equal(readTypedCode(typed, 6), undefined, JSON.stringify(typed));
  t.equal(readTypedCode('mz', 1), undefined, 'bits behind the last byte');
  t.end();
});
