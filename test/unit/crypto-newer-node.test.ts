/**
 * ML-KEM and Argon2id by Node itself, where it has them, and by the packages that stand in for it: the same bytes, and
 * the same refusals. Node 20 and 22 have the packages alone; `npm run test:system` runs this on all three.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'tap';
import { hex, MLKEM_CT, MLKEM_EK } from '../../protocol/index.js';
import { argon2id, nodeArgon2, wasmArgon2, type Argon2id } from '../../src/crypto/argon2.js';
import { mlkem, MLKEM_SEED, nobleMlKem, nodeMlKem } from '../../src/crypto/mlkem.js';
import { ifItWorks, newerCrypto } from '../../src/crypto/newer-node.js';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const isNewer = major > 24 || (major === 24 && minor >= 7);
const ownMlKem = nodeMlKem(newerCrypto);
const ownArgon2 = nodeArgon2(newerCrypto);
const kems = [nobleMlKem, ...(ownMlKem ? [ownMlKem] : [])];
const argon2s: readonly Argon2id[] = [wasmArgon2, ...(ownArgon2 ? [ownArgon2] : [])];
const ROUNDS = 50;
const Q = 3329;

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a sound key was refused');
  return value;
}

/** An encapsulation key with one of its 768 coefficients replaced (FIPS 203, ByteEncode with d = 12). */
function withCoefficient(key: Uint8Array, index: number, value: number): Uint8Array {
  const changed = Uint8Array.from(key);
  const at = Math.floor(index / 2) * 3;
  const [first = 0, middle = 0, last = 0] = changed.subarray(at, at + 3);
  changed.set(
    index % 2 === 0
      ? [value & 0xff, (middle & 0xf0) | (value >> 8), last]
      : [first, (middle & 0x0f) | ((value & 0x0f) << 4), value >> 4],
    at,
  );
  return changed;
}

test(`Node ${process.versions.node}: its own are used where it has them`, async (t) => {
  t.equal(ownMlKem !== undefined, isNewer);
  t.equal(ownArgon2 !== undefined, isNewer);
  t.equal(mlkem === nobleMlKem, !isNewer);
  t.equal(argon2id === wasmArgon2, !isNewer);
});

test('a Node without them, or over an OpenSSL without them, has none', async (t) => {
  const fails = (): never => {
    throw new Error('unsupported');
  };
  t.equal(nodeMlKem({}), undefined);
  t.equal(nodeMlKem({ encapsulate: fails }), undefined);
  t.equal(nodeArgon2({}), undefined);
  t.equal(nodeArgon2({ argon2: fails }), undefined);
  t.equal(nodeArgon2({ argon2: fails, argon2Sync: fails }), undefined);
  const made = {};
  t.equal(ifItWorks(made, fails), undefined);
  t.equal(
    ifItWorks(made, () => true),
    made,
  );
});

test('ML-KEM: a seed gives the same pair, and each opens what the other made', async (t) => {
  for (let round = 0; round < ROUNDS; round++) {
    const seed = randomBytes(MLKEM_SEED);
    const pairs = kems.map((kem) => kem.pair(seed));
    const [key = new Uint8Array(0), ...others] = pairs.map((pair) => pair.encapsulationKey);
    if (key.length !== MLKEM_EK || others.some((other) => hex(other) !== hex(key))) t.fail(`pairs of ${hex(seed)}`);
    for (const kem of kems) {
      const { ciphertext, secret } = present(kem.encapsulate(key));
      const at = randomInt(MLKEM_CT);
      const damaged = ciphertext.map((byte, i) => (i === at ? byte ^ (1 << randomInt(8)) : byte));
      const refusals = new Set<string>();
      for (const pair of pairs) {
        if (hex(await pair.decapsulate(ciphertext)) !== hex(secret)) t.fail(`secret of ${hex(seed)}`);
        refusals.add(hex(await pair.decapsulate(damaged)));
      }
      if (refusals.size !== 1 || refusals.has(hex(secret))) t.fail(`implicit rejection of ${hex(seed)}`);
    }
  }
  t.pass(`${String(ROUNDS)} seeds`);
});

test('ML-KEM: the checks of FIPS 203 section 7.2 and 7.3', async (t) => {
  const sound = nobleMlKem.pair(randomBytes(MLKEM_SEED)).encapsulationKey;
  for (const kem of kems) {
    for (const index of [0, 1, 2, 383, 766, 767]) {
      t.ok(kem.encapsulate(withCoefficient(sound, index, Q - 1)), 'the largest coefficient there is');
      for (const value of [Q, Q + 1, 4095])
        t.equal(kem.encapsulate(withCoefficient(sound, index, value)), undefined, `${String(value)} is no coefficient`);
    }
    t.equal(kem.encapsulate(new Uint8Array(MLKEM_EK).fill(0xff)), undefined, 'as in hello-refused-mlkem-modulus');
    for (const length of [0, MLKEM_EK - 1, MLKEM_EK + 1])
      t.equal(kem.encapsulate(new Uint8Array(length)), undefined, `${String(length)} bytes`);
    const pair = kem.pair(randomBytes(MLKEM_SEED));
    for (const length of [0, MLKEM_CT - 1, MLKEM_CT + 1])
      await t.rejects(pair.decapsulate(new Uint8Array(length)), `a ciphertext of ${String(length)} bytes`);
  }
});

test('Argon2id: the same tags', async (t) => {
  for (let round = 0; round < ROUNDS; round++) {
    const parallelism = randomInt(1, 5);
    const parameters = {
      message: randomBytes(randomInt(1, 200)),
      nonce: randomBytes(randomInt(8, 65)),
      memory: randomInt(8 * parallelism, 512),
      passes: randomInt(1, 5),
      parallelism,
      tagLength: randomInt(4, 129),
    };
    const tags = await Promise.all(argon2s.map(async (argon2) => hex(await argon2(parameters))));
    t.equal(new Set(tags).size, 1, JSON.stringify(parameters));
  }
});

test('Argon2id: RFC 9106 as the product calls it', async (t) => {
  const asked = { message: Buffer.from('secret'), nonce: new Uint8Array(16).fill(2), memory: 65536, passes: 3 };
  for (const argon2 of argon2s)
    t.equal(
      hex(await argon2({ ...asked, parallelism: 1, tagLength: 32 })),
      'a6391d6a4881c0e9246af3e2ac88c04e3bd880649e2600fc0b2189648b43b2f9', // by a third implementation, @noble/hashes
    );
});
