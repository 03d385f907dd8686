/** Accounts, requests and acceptances: what they sign (SPEC 6, 7.1). */
import { test } from 'tap';
import {
  exportFileKey,
  fileKeys,
  fingerprint,
  hex,
  keysMessage,
  linkedBuild,
  linkedGenerations,
  linkedKeys,
  loginMessage,
  possession,
  requestHash,
  sigFileKey,
  signAcceptance,
  signRequest,
  verifyAcceptance,
  verifyRequest,
  wordsProof,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync } from '../../src/crypto/index.js';
import { readTestKeys } from '../vectors/keys.js';
import { Seeded } from '../vectors/seeded.js';

const ports = { sync: nodeSync, asymmetric: nodeAsymmetric };
const some = (what: string, length: number): Uint8Array => new Seeded(`account unit ${what}`).bytes(length);
const keys = await readTestKeys();
const asker = {
  to: 'recipient_1',
  uid: some('asker', 16),
  name: 'sender_1',
  enc: keys.senderEnc.modulus,
  sig: keys.senderSig.modulus,
  time: 1_760_000_000_000,
  suite: 1,
};

test('a request is its sender’s own, and only for whom it was made', async (t) => {
  const request = await signRequest(ports, keys.senderSig, asker);
  t.ok(await verifyRequest(ports, request));
  const changes = {
    to: 'somebody',
    uid: some('other', 16),
    name: 'sender_2',
    enc: keys.recipientEnc.modulus,
    sig: keys.recipientSig.modulus,
    time: asker.time + 1,
    suite: 2,
    signature: some('signature', 256),
  };
  for (const [field, value] of Object.entries(changes))
    t.notOk(await verifyRequest(ports, { ...request, [field]: value }), field);
  t.notOk(
    await verifyRequest(ports, await signRequest(ports, keys.recipientSig, asker)),
    'signed by another key than it names',
  );
});

test('an acceptance is of one request', async (t) => {
  const request = await signRequest(ports, keys.senderSig, asker);
  const hash = requestHash(nodeSync, request);
  const { enc, sig } = { enc: keys.recipientEnc.modulus, sig: keys.recipientSig.modulus };
  const own = {
    to: asker.uid,
    request: hash,
    uid: some('acceptor', 16),
    name: 'recipient_1',
    enc,
    sig,
    time: asker.time,
    suite: 1,
  };
  const acceptance = await signAcceptance(ports, keys.recipientSig, own);
  t.ok(await verifyAcceptance(ports, acceptance));
  const changes = {
    to: some('other', 16),
    request: some('hash', 32),
    uid: some('other', 16),
    name: 'other',
    enc: asker.enc,
    time: 0,
    suite: 0,
  };
  for (const [field, value] of Object.entries(changes))
    t.notOk(await verifyAcceptance(ports, { ...acceptance, [field]: value }), field);
  const again = await signRequest(ports, keys.senderSig, asker);
  t.not(hex(requestHash(nodeSync, again)), hex(hash), 'the hash takes the signature too');
});

test('what is signed is bound to the connection, the name and the keys, without two readings', (t) => {
  const [th2, ke1] = [some('th2', 32), some('ke1', 96)];
  t.equal(hex(loginMessage(th2, 'abc', ke1)), `${hex(th2)}03616263${hex(ke1)}`);
  t.equal(hex(keysMessage(th2, 'abc', asker.enc, asker.sig)), `${hex(th2)}03616263${hex(asker.enc)}${hex(asker.sig)}`);
  const [p, record] = [some('p', 32), some('record', 192)];
  t.equal(hex(possession(nodeSync, p, th2, record)), hex(nodeSync.hmac(p, th2, record)));
  t.not(hex(possession(nodeSync, p, some('other th2', 32), record)), hex(possession(nodeSync, p, th2, record)));
  t.end();
});

test('keys of files and the words depend on all that they should', (t) => {
  const [k, w] = [some('k', 32), some('w', 32)];
  const all = [sigFileKey(nodeSync, k), fileKeys(nodeSync, k, w).enc, fileKeys(nodeSync, k, w).state].map(hex);
  t.equal(new Set(all).size, 3);
  for (const key of all) t.equal(key.length, 32);
  t.not(hex(fileKeys(nodeSync, k, some('other w', 32)).enc), all[1], 'the words');
  t.not(hex(fileKeys(nodeSync, some('other k', 32), w).enc), all[1], 'the password');
  t.equal(exportFileKey(nodeSync, k).length, 16);
  t.not(hex(exportFileKey(nodeSync, k)), hex(sigFileKey(nodeSync, k)), 'of the same bytes, for another use');
  const proof = wordsProof(nodeSync, some('export key', 64), w);
  t.equal(proof.length, 32);
  t.not(hex(wordsProof(nodeSync, some('another export key', 64), w)), hex(proof));
  t.not(hex(wordsProof(nodeSync, some('export key', 64), k)), hex(proof));
  const own = fingerprint(nodeSync, { enc: asker.enc, sig: asker.sig });
  t.not(hex(own), hex(fingerprint(nodeSync, { enc: asker.sig, sig: asker.enc })), 'the order of the keys');
  t.end();
});

test('linked keys are read from hexadecimal, and nothing else is', (t) => {
  const linked = {
    network: 'dev',
    version: '0.1.0',
    build: 3,
    software: hex(some('software', 16)),
    table: hex(some('table', 32)),
    networkKey: hex(some('network key', 16)),
    generation: 1,
    serverModulus: hex(keys.server.modulus),
    pins: [],
  };
  t.equal(hex(linkedKeys(linked).networkKey), linked.networkKey);
  t.equal(hex(linkedKeys(linked).serverModulus), linked.serverModulus);
  t.equal(linkedBuild(linked).build, 3);
  t.equal(hex(linkedBuild(linked).table), linked.table);
  t.throws(() => linkedKeys({ ...linked, networkKey: 'no key' }), RangeError);
  const next = { generation: 2, networkKey: hex(some('next key', 16)), serverModulus: linked.serverModulus };
  const generations = (of: typeof linked & { readonly next?: typeof next }): number[] =>
    linkedGenerations(of).map(({ generation }) => generation);
  t.same(generations(linked), [1]);
  t.same(generations({ ...linked, next }), [1, 2], 'the oldest first');
  t.end();
});
