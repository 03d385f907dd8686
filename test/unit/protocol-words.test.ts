import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { hex, readSafetyCode, safetyCode, safetyNumber, safetyWords, utf8, wordlist } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { specFile, wordsFile } from '../vectors/format.js';

test('words.txt is the list of the code, and SPEC.md has its count and hash', (t) => {
  const file = readFileSync(wordsFile);
  t.equal(file.toString(), wordlist.map((word) => `${word}\n`).join(''));
  t.equal(new Set(wordlist).size, wordlist.length, 'no word twice');
  const spec = readFileSync(specFile, 'utf8');
  t.ok(spec.includes(`the list of ${String(wordlist.length)} words`));
  t.ok(spec.includes(hex(nodeSync.sha256(utf8(file.toString())))), 'hash of words.txt');
  t.end();
});

test('every number of ten digits has three words of its own', (t) => {
  t.ok(wordlist.length ** 3 > 10 ** 10);
  const first = wordlist[0] ?? '';
  const number = `${'0'.repeat(10)}${'9'.repeat(10)}${String(wordlist.length).padStart(10, '0')}${'0'.repeat(30)}`;
  const words = safetyWords(number);
  t.equal(words.length, 18);
  t.same(words.slice(0, 3), [first, first, first]);
  const value = words.slice(3, 6).reduce((sum, word) => sum * wordlist.length + wordlist.indexOf(word), 0);
  t.equal(value, 9_999_999_999);
  t.same(words.slice(6, 9), [first, wordlist[1], first], 'most significant first');
  t.end();
});

test('another key, another number, in the half of its owner alone', (t) => {
  const uid = (n: number): Uint8Array => new Uint8Array(16).fill(n);
  const keys = (n: number): Uint8Array => new Uint8Array(32).fill(n);
  const a = { uid: uid(1), fingerprint: keys(1) };
  const one = safetyNumber(nodeSync, a, { uid: uid(2), fingerprint: keys(2) });
  const other = safetyNumber(nodeSync, { uid: uid(2), fingerprint: keys(3) }, a);
  t.match(one, /^\d{60}$/);
  t.equal(one.slice(0, 30), other.slice(0, 30));
  t.not(one.slice(30), other.slice(30));
  t.end();
});

test('the code of a safety number is its digits behind a fixed beginning, however it is copied', (t) => {
  const number = '0123456789'.repeat(6);
  const code = safetyCode(number);
  t.match(code, /^[A-Z0-9:]{77}$/, 'letters that make a small picture');
  for (const text of [code, code.toLowerCase(), ` ${code}\n`, number, number.replace(/(.{5})/g, '$1 ')])
    t.equal(readSafetyCode(text), number, text);
  for (const text of ['', number.slice(1), `${number}0`, `CADENAS:2:SAFETY:${number}`, code.replace('0', 'O'), 'x'])
    t.equal(readSafetyCode(text), undefined, text);
  t.end();
});
