/** Vectors of what accounts sign and derive (SPEC 6), and of requests and acceptances (SPEC 7.1). */
import {
  canonicalWords,
  concat,
  conversationId,
  encodeFields,
  Label,
  structs,
  utf8,
  type Acceptance,
  type Request,
} from '../../protocol/index.js';
import { nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { NOW } from './case-handshake.js';
import type { Case } from './case-struct.js';
import { pssSignWith } from './fixed-crypto.js';
import { toJson } from './format.js';
import type { TestKeys } from './keys.js';
import { Seeded } from './seeded.js';

const some = (what: string, length: number): Uint8Array => new Seeded(`account ${what}`).bytes(length);

function account(keys: TestKeys): Case {
  const name = 'sender_1';
  const pair = { enc: keys.senderEnc.modulus, sig: keys.senderSig.modulus };
  const [th2, ke1, p, record] = [some('th2', 32), some('ke1', 96), some('p', 32), some('record', 192)];
  const [exportKey, k, w] = [some('export key', 64), some('k', 32), some('w', 32)];
  const named = concat(Uint8Array.of(name.length), utf8(name));
  const loginMessage = concat(th2, named, ke1);
  const keysMessage = concat(th2, named, pair.enc, pair.sig);
  const hkdf = (ikm: Uint8Array, salt: Uint8Array, info: string, length: number): Uint8Array =>
    nodeSync.hkdf(ikm, salt, utf8(`cadenas/1 ${info}`), length);
  const none = new Uint8Array(0);
  const wordsProof = hkdf(exportKey, w, 'words', 32);
  const typedWords = ' Ｃorrect\tHORSE  Stra\u00dfe ';
  const parts = {
    name,
    ...pair,
    fingerprint: nodeSync.sha256(utf8('cadenas/1 fingerprint'), pair.enc, pair.sig),
    th2,
    ke1,
    loginSignature: pssSignWith(some('login salt', 32), keys.senderSig, Label.login, loginMessage),
    keysSignature: pssSignWith(some('keys salt', 32), keys.senderSig, Label.keys, keysMessage),
    p,
    record,
    possession: nodeSync.hmac(p, concat(th2, record)),
    typedWords,
    canonicalWords: canonicalWords(typedWords),
    exportKey,
    w,
    wordsProof,
    wordsHash: nodeSync.sha256(wordsProof),
    k,
    sigFileKey: hkdf(k, none, 'sig', 16),
    encFileKey: hkdf(concat(k, w), none, 'enc', 16),
    stateFileKey: hkdf(concat(k, w), none, 'state', 16),
    uid: some('uid', 16),
    otherUid: some('other uid', 16),
    conversation: conversationId(nodeSync, some('uid', 16), some('other uid', 16)),
  };
  const what = 'signatures, proofs and file keys of one account, and one conversation id';
  return ['account', { kind: 'account', what, expect: 'accepted', ...(toJson(parts) as object) }];
}

const bundle = (enc: Uint8Array, sig: Uint8Array, name: string) => ({
  uid: some(name, 16),
  name,
  enc,
  sig,
  time: NOW,
  suite: 1,
  signature: new Uint8Array(256),
});

function signed<T extends Request | Acceptance>(
  struct: typeof structs.jmpu | typeof structs.ampu,
  values: T,
  key: NodeRsaPrivate,
  label: Uint8Array,
): T {
  const message = encodeFields(struct, values as Request & Acceptance).slice(0, -256);
  return { ...values, signature: pssSignWith(some('bundle salt', 32), key, label, message) };
}

function requestCases(keys: TestKeys): readonly Case[] {
  const { senderEnc, senderSig, recipientEnc, recipientSig } = keys;
  const asker = { to: 'recipient_1', ...bundle(senderEnc.modulus, senderSig.modulus, 'sender_1') };
  const request = signed(structs.jmpu, asker, senderSig, Label.request);
  const requestHash = nodeSync.sha256(utf8('cadenas/1 request hash'), encodeFields(structs.jmpu, request));
  const acceptor = {
    to: asker.uid,
    request: requestHash,
    ...bundle(recipientEnc.modulus, recipientSig.modulus, 'recipient_1'),
  };
  const acceptance = signed(structs.ampu, acceptor, recipientSig, Label.accept);
  const even = Uint8Array.from(senderEnc.modulus);
  even[255] = 2;
  const evenRequest = signed(structs.jmpu, { ...asker, enc: even }, senderSig, Label.request);
  const kinds = {
    request: (values: Request) => ({ kind: 'request', values, fields: encodeFields(structs.jmpu, values) }),
    acceptance: (values: Acceptance) => ({ kind: 'acceptance', values, fields: encodeFields(structs.ampu, values) }),
  };
  const accepted = (file: string, what: string, parts: object): Case => {
    return [file, { kind: file, what, expect: 'accepted', ...(toJson(parts) as object) }];
  };
  const refused = (file: string, what: string, step: string, parts: { readonly kind: string }): Case => {
    return [file, { what, expect: 'refused', step, ...(toJson(parts) as object), kind: parts.kind }];
  };
  return [
    accepted('request', 'a signed request to talk, and its hash', { ...kinds.request(request), requestHash }),
    accepted('acceptance', 'the acceptance of the request in request.json', kinds.acceptance(acceptance)),
    refused(
      'request-refused-to',
      'a request that was signed for somebody else',
      'signature',
      kinds.request({ ...request, to: 'sender_1' }),
    ),
    refused(
      'request-refused-modulus',
      'a request with an even modulus, well signed',
      'modulus',
      kinds.request(evenRequest),
    ),
    refused(
      'request-refused-modulus-twice',
      'a request with one key for both uses, well signed',
      'modulus',
      kinds.request(signed(structs.jmpu, { ...asker, enc: senderSig.modulus }, senderSig, Label.request)),
    ),
    refused(
      'request-refused-label',
      'a request signed under the label of acceptances',
      'signature',
      kinds.request(signed(structs.jmpu, asker, senderSig, Label.accept)),
    ),
    refused(
      'acceptance-refused-request',
      'an acceptance of another request',
      'signature',
      kinds.acceptance({ ...acceptance, request: some('other request', 32) }),
    ),
    refused(
      'acceptance-refused-keys',
      'an acceptance with an encryption key that its signer did not sign',
      'signature',
      kinds.acceptance({ ...acceptance, enc: senderEnc.modulus }),
    ),
  ];
}

export function accountCases(keys: TestKeys): readonly Case[] {
  return [account(keys), ...requestCases(keys)];
}
