/** The asymmetric port over node:crypto and noble's ML-KEM: labels, salts, refusals, agreement. */
import { spawn } from 'node:child_process';
import { constants, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'tap';
import { concat, fromHex, hex, label, Label, MLKEM_CT, MLKEM_EK } from '../../protocol/index.js';
import { exportPrivate, generateRsa, nodeAsymmetric, rsaPrivate } from '../../src/crypto/index.js';
import { oaepSealWith, pssSignWith, x25519From } from '../vectors/fixed-crypto.js';
import { readTestKeys } from '../vectors/keys.js';
import { Seeded } from '../vectors/seeded.js';

const keys = await readTestKeys();
const some = (what: string, length: number): Uint8Array => new Seeded(`asymmetric ${what}`).bytes(length);
const plain = some('plain', 32);
const RFC7748 = {
  firstPrivate: '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a',
  firstPublic: '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a',
  secondPrivate: '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
  secondPublic: 'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
  shared: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
};
const flip = (bytes: Uint8Array, at: number): Uint8Array =>
  Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte));

test('OAEP: a block opens under its own label and key, and under no other', async (t) => {
  const block = await nodeAsymmetric.oaepSeal(keys.server.modulus, Label.s1, plain);
  t.equal(block.length, 256);
  t.equal(hex((await nodeAsymmetric.oaepOpen(keys.server, Label.s1, block)) ?? block), hex(plain));
  for (const other of [Label.s2, Label.pm, Label.pop, label(''), new Uint8Array(0)])
    t.equal(await nodeAsymmetric.oaepOpen(keys.server, other, block), undefined);
  t.equal(await nodeAsymmetric.oaepOpen(keys.senderEnc, Label.s1, block), undefined, 'another key');
  for (const at of [0, 100, 255])
    t.equal(await nodeAsymmetric.oaepOpen(keys.server, Label.s1, flip(block, at)), undefined);
  for (const length of [0, 255, 257])
    t.equal(
      await nodeAsymmetric.oaepOpen(keys.server, Label.s1, new Uint8Array(length)),
      undefined,
      `${String(length)} bytes`,
    );
  t.not(hex(await nodeAsymmetric.oaepSeal(keys.server.modulus, Label.s1, plain)), hex(block), 'never the same twice');
});

test('OAEP as RFC 8017 writes it opens too', async (t) => {
  const block = oaepSealWith(some('seed', 32), keys.server.modulus, Label.s1, plain);
  t.equal(hex((await nodeAsymmetric.oaepOpen(keys.server, Label.s1, block)) ?? block), hex(plain));
});

test('PSS: a signature holds for its own label, message and key alone', async (t) => {
  const message = some('message', 100);
  const signature = await nodeAsymmetric.pssSign(keys.senderSig, Label.login, message);
  const check = (modulus: Uint8Array, what: Uint8Array, text: Uint8Array, by: Uint8Array): Promise<boolean> =>
    nodeAsymmetric.pssVerify(modulus, what, text, by);
  const { modulus } = keys.senderSig;
  t.ok(await check(modulus, Label.login, message, signature));
  for (const other of [Label.keys, Label.pm, Label.request, Label.accept])
    t.notOk(await check(modulus, other, message, signature));
  t.notOk(await check(modulus, Label.login, flip(message, 99), signature));
  t.notOk(await check(modulus, Label.login, message, flip(signature, 10)));
  t.notOk(await check(keys.server.modulus, Label.login, message, signature));
  for (const length of [0, 255, 257]) t.notOk(await check(modulus, Label.login, message, new Uint8Array(length)));
});

test('PSS: the salt has 32 bytes, no other length is taken', async (t) => {
  const message = some('message', 100);
  const signature = await nodeAsymmetric.pssSign(keys.senderSig, Label.keys, message);
  const strict = { key: keys.senderSig.key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  t.ok(verify('sha256', concat(Label.keys, message), strict, signature));
  for (const length of [0, 20, 31, 64]) {
    const other = pssSignWith(some('salt', length), keys.senderSig, Label.keys, message);
    t.ok(
      verify('sha256', concat(Label.keys, message), { ...strict, saltLength: length }, other),
      `a sound signature, salt ${String(length)}`,
    );
    t.notOk(
      await nodeAsymmetric.pssVerify(keys.senderSig.modulus, Label.keys, message, other),
      `salt ${String(length)}`,
    );
  }
});

test('a modulus of another length is refused', async (t) => {
  for (const length of [0, 128, 255, 257])
    await t.rejects(
      nodeAsymmetric.oaepSeal(new Uint8Array(length).fill(0xff), Label.s1, plain),
      RangeError,
      String(length),
    );
  t.notOk(await nodeAsymmetric.pssVerify(new Uint8Array(256), Label.s1, plain, some('signature', 256)), 'zeros');
});

test('private keys come and go as PKCS#8, and only RSA-2048 with e = 65537 is taken', async (t) => {
  const made = await generateRsa();
  t.equal(made.modulus.length, 256);
  t.equal(hex(rsaPrivate(exportPrivate(made)).modulus), hex(made.modulus));
  const der = (key: KeyObject): Uint8Array => key.export({ format: 'der', type: 'pkcs8' });
  const small = der(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey);
  t.throws(() => rsaPrivate(small), RangeError, '1024 bits');
  const three = der(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).privateKey);
  t.throws(() => rsaPrivate(three), RangeError, 'e = 3');
  t.throws(() => rsaPrivate(der(generateKeyPairSync('x25519').privateKey)), RangeError, 'no RSA key');
  t.throws(() => rsaPrivate(new Uint8Array(10)), 'no key');
});

test('X25519: RFC 7748 section 6.1', async (t) => {
  const first = x25519From(fromHex(RFC7748.firstPrivate));
  const second = x25519From(fromHex(RFC7748.secondPrivate));
  t.equal(hex(first.publicKey), RFC7748.firstPublic);
  t.equal(hex(second.publicKey), RFC7748.secondPublic);
  t.equal(hex((await first.agree(second.publicKey)) ?? plain), RFC7748.shared);
  t.equal(hex((await second.agree(first.publicKey)) ?? plain), RFC7748.shared);
});

test('X25519: the product’s pairs agree with each other and with those', async (t) => {
  const [own, other] = [await nodeAsymmetric.x25519(), x25519From(fromHex(RFC7748.firstPrivate))];
  t.equal(own.publicKey.length, 32);
  t.equal(hex((await own.agree(other.publicKey)) ?? plain), hex((await other.agree(own.publicKey)) ?? own.publicKey));
});

test('X25519: a peer of small order is refused, and so is one of another length', async (t) => {
  const own = await nodeAsymmetric.x25519();
  const small = [
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    `ecff${'ff'.repeat(29)}7f`,
    `edff${'ff'.repeat(29)}7f`,
    `eeff${'ff'.repeat(29)}7f`,
  ];
  for (const point of small) {
    t.equal(await own.agree(fromHex(point)), undefined, point);
    t.equal(await nodeAsymmetric.agree(fromHex(point), (await nodeAsymmetric.mlkem()).encapsulationKey), undefined);
  }
  for (const length of [0, 31, 33]) t.equal(await own.agree(new Uint8Array(length).fill(9)), undefined);
});

test('both agreements at once', async (t) => {
  const [x25519, mlkem] = [await nodeAsymmetric.x25519(), await nodeAsymmetric.mlkem()];
  t.equal(mlkem.encapsulationKey.length, MLKEM_EK);
  const agreed = await nodeAsymmetric.agree(x25519.publicKey, mlkem.encapsulationKey);
  if (!agreed) throw new Error('no agreement');
  t.equal(agreed.mlkem.length, MLKEM_CT);
  const shared = (await x25519.agree(agreed.x25519)) ?? new Uint8Array(0);
  t.equal(hex(concat(shared, await mlkem.decapsulate(agreed.mlkem))), hex(agreed.secret));
  const other = await mlkem.decapsulate(flip(agreed.mlkem, 5));
  t.equal(other.length, 32, 'a damaged ciphertext gives another secret and no error: implicit rejection');
  t.not(hex(other), hex(agreed.secret.subarray(32)));
});

test('ML-KEM keys that are none are refused', async (t) => {
  const { publicKey } = await nodeAsymmetric.x25519();
  t.equal(
    await nodeAsymmetric.agree(publicKey, new Uint8Array(MLKEM_EK).fill(0xff)),
    undefined,
    'coefficients too large',
  );
  for (const length of [0, MLKEM_EK - 1, MLKEM_EK + 1])
    t.equal(await nodeAsymmetric.agree(publicKey, new Uint8Array(length)), undefined);
});

test('pairs are made while V8 collects, and none waits for itself for ever', { timeout: 120_000 }, async (t) => {
  /* Whole collections, as often as the daemon's small young generation is full: some in the middle of a pair. */
  const module = new URL('../../src/crypto/index.js', import.meta.url).href;
  const program = `const { nodeAsymmetric } = await import(${JSON.stringify(module)});
    let other; // moves the moment at which the memory is full
    for (let i = 0; i < 60_000; i++) {
      other = new Array(i % 97).fill(i);
      await nodeAsymmetric.x25519();
    }`;
  const flags = ['--max-semi-space-size=1', '--gc-global', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'ignore', 'inherit'] });
  /* What hangs holds a lock: it ends by nothing milder. */
  const cut = setTimeout(() => child.kill('SIGKILL'), 90_000);
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  clearTimeout(cut);
  t.same({ code, signal }, { code: 0, signal: null });
});
