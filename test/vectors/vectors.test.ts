/** Every file of protocol/vectors/ goes through the code; and the code makes these files and no others. */
import { readFile } from 'node:fs/promises';
import { test } from 'tap';
import { tableHash, hex } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { madeCases, RECORDED } from './cases.js';
import { readVectors, specFile, vectorText } from './format.js';
import { readTestKeys } from './keys.js';
import { withTables } from './spec-tables.js';
import { verifyVector } from './verify.js';

const vectors = await readVectors();

for (const [file, vector] of vectors)
  test(`${file}: ${vector.what}`, async (t) => {
    await verifyVector(vector);
    t.pass(`${vector.expect}${vector.step === undefined ? '' : ` at ${vector.step}`}`);
  });

test('the code makes exactly these files', async (t) => {
  const made = await madeCases(await readTestKeys());
  t.same([...vectors.keys()].sort(), [...made.keys(), RECORDED].sort());
  for (const [file, vector] of made) {
    const stored = vectors.get(file);
    t.equal(stored && vectorText(stored), vectorText(vector), `${file} is what \`npm run vectors\` writes`);
  }
});

test('a vector of an unknown kind is an error, and so is one that differs', async (t) => {
  await t.rejects(verifyVector({ kind: 'unknown', what: '', expect: 'accepted' }), /no verifier/);
  const sound = vectors.get('struct-keyq');
  if (!sound) throw new Error('struct-keyq is missing');
  const { bytes } = sound;
  if (typeof bytes !== 'string') throw new Error('struct-keyq has no bytes');
  await t.rejects(verifyVector({ ...sound, bytes: `02${bytes.slice(2)}` }), /problem/);
  await t.rejects(verifyVector({ ...sound, expect: 'refused' }), /names its step/);
});

test('the tables and the table hash of SPEC.md are those of the code', async (t) => {
  const spec = await readFile(specFile, 'utf8');
  t.equal(withTables(spec), spec, '`npm run vectors` writes the tables');
  t.ok(spec.includes(hex(tableHash((text) => nodeSync.sha256(text)))), 'table hash');
});
