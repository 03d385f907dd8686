/** Vectors of new keys: who signed them, and what `rkey2` and `rcov2` prove (SPEC 6.12, 6.13, 7.6). */
import { concat, encodeFields, Label, structs, type KeyChange } from '../../protocol/index.js';
import { nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { NOW } from './case-handshake.js';
import type { Case } from './case-struct.js';
import { pssSignWith } from './fixed-crypto.js';
import { toJson } from './format.js';
import type { TestKeys } from './keys.js';
import { Seeded } from './seeded.js';

const some = (what: string, length: number): Uint8Array => new Seeded(`key change ${what}`).bytes(length);
const SIGNATURE = 256;
const none = new Uint8Array(SIGNATURE);

const fieldsOf = (change: KeyChange): Uint8Array => encodeFields(structs.chky, change);

function signed(change: KeyChange, sig: NodeRsaPrivate): KeyChange {
  const message = fieldsOf(change).slice(0, -2 * SIGNATURE);
  return { ...change, signature: pssSignWith(some('salt', 32), sig, Label.change, message) };
}

function confirmed(change: KeyChange, before: NodeRsaPrivate, label = Label.former): KeyChange {
  const message = fieldsOf(change).slice(0, -SIGNATURE);
  return { ...change, former: pssSignWith(some('former salt', 32), before, label, message) };
}

export function keyChangeCases(keys: TestKeys): readonly Case[] {
  const { senderEnc, senderSig, recipientSig } = keys;
  const fields = {
    uid: some('uid', 16),
    name: 'sender_1',
    enc: senderEnc.modulus,
    sig: senderSig.modulus,
    time: NOW,
    suite: 1,
    signature: none,
    former: none,
  };
  const lost = signed(fields, senderSig);
  const renewed = confirmed(lost, recipientSig);
  const even = Uint8Array.from(senderEnc.modulus);
  even[255] = 2;
  const parts = (change: KeyChange) => ({ values: change, fields: fieldsOf(change), before: recipientSig.modulus });
  const accepted = (file: string, what: string, change: KeyChange, signedByFormer: number): Case => {
    const body = toJson({ ...parts(change), signedByFormer }) as object;
    return [file, { kind: 'key-change', what, expect: 'accepted', ...body }];
  };
  const refused = (step: string, what: string, change: KeyChange): Case => {
    const body = toJson(parts(change)) as object;
    return [`key-change-refused-${step}`, { kind: 'key-change', what, expect: 'refused', step, ...body }];
  };
  const [p, th2, sessionKey, words] = [some('p', 32), some('th2', 32), some('session key', 64), some('words', 32)];
  const bundle = fieldsOf(renewed).slice(0, -SIGNATURE);
  const proofs = {
    values: renewed,
    p,
    th2,
    sessionKey,
    words,
    renewalMac: nodeSync.hmac(p, concat(th2, bundle)),
    recoveryMac: nodeSync.hmac(concat(p, sessionKey), concat(th2, words, bundle)),
  };
  return [
    accepted('key-change', 'new keys, signed by those before too', renewed, 1),
    accepted('key-change-lost', 'new keys where those before are lost', lost, 0),
    refused(
      'modulus',
      'an even modulus, well signed',
      confirmed(signed({ ...fields, enc: even }, senderSig), recipientSig),
    ),
    refused('signature', 'a bundle for somebody else than it was signed for', { ...renewed, name: 'recipient_1' }),
    refused('former', 'a word of the keys before under another label', confirmed(lost, recipientSig, Label.change)),
    [
      'key-proofs',
      { kind: 'key-proofs', what: 'what rkey2 and rcov2 prove', expect: 'accepted', ...(toJson(proofs) as object) },
    ],
  ];
}
