/** New keys: who has to have signed them (SPEC 6.12, 6.13, 7.6). */
import { test } from 'tap';
import {
  bundleBytes,
  bundleMessage,
  hex,
  isSignedByFormer,
  keyBundleProblem,
  noFormer,
  recoveryMac,
  renewalMac,
  signFormer,
  signKeyBundle,
  type UnsignedBundle,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync } from '../../src/crypto/index.js';
import { readTestKeys } from '../vectors/keys.js';
import { Seeded } from '../vectors/seeded.js';

const ports = { sync: nodeSync, asymmetric: nodeAsymmetric };
const some = (what: string, length: number): Uint8Array => new Seeded(`key change unit ${what}`).bytes(length);
const { senderEnc, senderSig, recipientSig } = await readTestKeys();
const unsigned: UnsignedBundle = {
  uid: some('uid', 16),
  name: 'alice',
  enc: senderEnc.modulus,
  sig: senderSig.modulus,
  time: 1_800_000_000_000,
  suite: 1,
};
const bundle = await signKeyBundle(ports, senderSig, unsigned);
const former = await signFormer(ports, recipientSig, bundle);
const change = { ...bundle, former };

test('a bundle counts where its own keys signed each of its fields', async (t) => {
  t.equal(await keyBundleProblem(ports, bundle), undefined);
  const others = {
    uid: some('other', 16),
    name: 'bobby',
    enc: recipientSig.modulus,
    time: unsigned.time + 1,
    signature: some('signature', 256),
  };
  for (const [field, value] of Object.entries(others))
    t.equal(await keyBundleProblem(ports, { ...bundle, [field]: value }), 'signature', field);
  t.equal(await keyBundleProblem(ports, { ...bundle, sig: recipientSig.modulus }), 'signature');
});

test('another suite and keys that nobody may have are refused before any signature', async (t) => {
  t.equal(await keyBundleProblem(ports, { ...bundle, suite: 2 }), 'modulus');
  const even = Uint8Array.from(unsigned.enc);
  even[255] = 2;
  t.equal(await keyBundleProblem(ports, await signKeyBundle(ports, senderSig, { ...unsigned, enc: even })), 'modulus');
});

test('the keys before sign the whole bundle, the new signature included', async (t) => {
  t.ok(await isSignedByFormer(ports, change, recipientSig.modulus));
  t.notOk(await isSignedByFormer(ports, change, senderSig.modulus), 'by nobody else');
  const again = await signKeyBundle(ports, senderSig, unsigned);
  t.notOk(await isSignedByFormer(ports, { ...again, former }, recipientSig.modulus), 'another signature of the same');
  t.notOk(await isSignedByFormer(ports, { ...bundle, former: noFormer }, recipientSig.modulus), 'nothing signed');
  t.equal(bundleBytes(bundle).length, bundleMessage(bundle).length + 256);
});

test('what shows possession depends on all that it should', (t) => {
  const [p, th2, sessionKey, words] = [some('p', 32), some('th2', 32), some('key', 64), some('words', 32)];
  const other = some('x', 32);
  const elsewhere = { ...bundle, time: 1 };
  const renewals = [
    renewalMac(nodeSync, p, th2, bundle),
    renewalMac(nodeSync, other, th2, bundle),
    renewalMac(nodeSync, p, other, bundle),
    renewalMac(nodeSync, p, th2, elsewhere),
  ];
  const recoveries = [
    recoveryMac(nodeSync, p, sessionKey, th2, words, bundle),
    recoveryMac(nodeSync, other, sessionKey, th2, words, bundle),
    recoveryMac(nodeSync, p, some('y', 64), th2, words, bundle),
    recoveryMac(nodeSync, p, sessionKey, other, words, bundle),
    recoveryMac(nodeSync, p, sessionKey, th2, other, bundle),
    recoveryMac(nodeSync, p, sessionKey, th2, words, elsewhere),
  ];
  const all = [...renewals, ...recoveries].map(hex);
  t.equal(new Set(all).size, all.length);
  t.end();
});
