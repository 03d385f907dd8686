/** The synchronous port over node:crypto against published vectors. */
import { createCipheriv, randomBytes } from 'node:crypto';
import { test } from 'tap';
import { fromHex, hex, utf8 } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';

test('SHA-256 and HMAC take their input in parts', (t) => {
  t.equal(
    hex(nodeSync.sha256(utf8('a'), utf8(''), utf8('bc'))),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    'FIPS 180-4: abc',
  );
  const key = new Uint8Array(20).fill(0x0b);
  t.equal(
    hex(nodeSync.hmac(key, utf8('Hi '), utf8('There'))),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    'RFC 4231 case 1',
  );
  t.end();
});

test('HKDF: RFC 5869 cases 1 and 3', (t) => {
  const ikm = new Uint8Array(22).fill(0x0b);
  const first = nodeSync.hkdf(ikm, fromHex('000102030405060708090a0b0c'), fromHex('f0f1f2f3f4f5f6f7f8f9'), 42);
  t.equal(hex(first), '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
  const third = nodeSync.hkdf(ikm, new Uint8Array(0), new Uint8Array(0), 42);
  t.equal(hex(third), '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8');
  t.end();
});

const nonce = fromHex('cafebabefacedbaddecaf888');
const aad = fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
const plain = fromHex(
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
);
const key128 = fromHex('feffe9928665731c6d6a8f9467308308');
const sealed128 =
  '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e0915bc94fbc3221a5db94fae95ae7121a47';

test('GCM: case 4 and case 16 of its specification', (t) => {
  const out = new Uint8Array(plain.length + 16 + 3);
  nodeSync.aead(key128).seal(nonce, aad, plain, out, 3);
  t.equal(hex(out.subarray(3)), sealed128);
  t.equal(hex(out.subarray(0, 3)), '000000', 'only from the offset on');
  const key256 = fromHex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308');
  nodeSync.aead(key256).seal(nonce, aad, plain, out, 0);
  t.equal(
    hex(out.subarray(0, plain.length + 16)),
    '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
  );
  t.end();
});

test('GCM opens only what was sealed, with the whole tag', (t) => {
  const sealed = fromHex(sealed128);
  const aead = nodeSync.aead(key128);
  t.equal(hex(aead.open(nonce, aad, sealed) ?? nonce), hex(plain));
  for (const at of [0, 30, sealed.length - 1])
    t.equal(
      aead.open(
        nonce,
        aad,
        sealed.map((byte, i) => (i === at ? byte ^ 1 : byte)),
      ),
      undefined,
      `byte ${String(at)}`,
    );
  t.equal(aead.open(nonce, aad.subarray(1), sealed), undefined, 'other AAD');
  t.equal(
    aead.open(
      nonce.map((byte) => byte ^ 1),
      aad,
      sealed,
    ),
    undefined,
    'another nonce',
  );
  for (const length of [0, 1, 4, 12, 15])
    t.equal(aead.open(nonce, aad, sealed.subarray(0, length)), undefined, `${String(length)} bytes in all`);
  for (const short of [4, 8, 12, 13, 14, 15])
    t.equal(
      aead.open(nonce, aad, sealed.subarray(0, plain.length + short)),
      undefined,
      `the first ${String(short)} bytes of the tag`,
    );
  t.end();
});

test('a tag that was made short is refused', (t) => {
  const cipher = createCipheriv('aes-128-gcm', key128, nonce, { authTagLength: 4 });
  cipher.setAAD(aad);
  const body = cipher.update(plain);
  cipher.final();
  t.equal(nodeSync.aead(key128).open(nonce, aad, Buffer.concat([body, cipher.getAuthTag()])), undefined);
  t.end();
});

test('CTR: NIST SP 800-38A F.5.1, whole and in pieces', (t) => {
  const key = fromHex('2b7e151628aed2a6abf7158809cf4f3c');
  const counter = fromHex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
  const text = fromHex('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51');
  const expected = '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff';
  t.equal(hex(nodeSync.keystream(key, counter)(text)), expected);
  const stream = nodeSync.keystream(key, counter);
  t.equal([0, 1, 17, 18].map((at, i, cuts) => hex(stream(text.subarray(at, cuts[i + 1])))).join(''), expected);
  const source = Uint8Array.from(text);
  nodeSync.keystream(key, counter)(source);
  t.equal(hex(source), hex(text), 'the input stays as it was');
  t.end();
});

test('comparing and drawing', (t) => {
  t.ok(nodeSync.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
  t.notOk(nodeSync.equal(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
  t.notOk(nodeSync.equal(Uint8Array.of(1, 2), Uint8Array.of(1)), 'different lengths are unequal and no error');
  t.equal(nodeSync.random(32).length, 32);
  t.not(hex(nodeSync.random(32)), hex(nodeSync.random(32)));
  t.not(hex(nodeSync.random(16)), hex(randomBytes(16)));
  t.end();
});
