/** Vectors of heads: signed and tied to R, each proof refused by itself (SPEC 9.5). */
import { concat, utf8, type HeadFields, type RoomHead } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { NOW } from './case-handshake.js';
import type { Case } from './case-struct.js';
import { pssSignWith } from './fixed-crypto.js';
import { toJson } from './format.js';
import type { TestKeys } from './keys.js';
import {
  EPOCH,
  hkdf,
  macUnder,
  padded,
  place,
  print,
  R,
  ROOM,
  ROOM_NAME,
  roomPeople,
  some,
  uint,
  type Member,
} from './room-parts.js';

const row = (of: Member) => ({ uid: of.uid, name: of.name, fingerprint: print(of) });

function listOf(members: readonly Member[]): Uint8Array {
  const rows = members.map(row).sort((a, b) => Buffer.compare(a.uid, b.uid));
  const bytes = rows.map(({ uid, name, fingerprint }) => concat(uid, padded(name), fingerprint));
  return nodeSync.sha256(utf8('cadenas/1 room list'), ROOM, ...bytes);
}

function messageOf(head: HeadFields): Uint8Array {
  const { name, epoch, previous, owner, list, key, signer, time } = head;
  return concat(ROOM, padded(name), uint(4, epoch), previous, owner, list, key, signer, uint(8, time));
}

function fieldsOf(members: readonly Member[], owner: Member, epoch: number): HeadFields {
  return {
    name: ROOM_NAME,
    epoch,
    previous: epoch === 1 ? new Uint8Array(32) : some('previous', 32),
    owner: owner.uid,
    list: listOf(members),
    key: hkdf(R, ROOM, 'room key', place(ROOM, epoch)),
    signer: owner.uid,
    time: NOW,
  };
}

function proven(fields: HeadFields, signer: Member): RoomHead {
  const message = messageOf(fields);
  const { epoch } = fields;
  return {
    ...fields,
    signature: pssSignWith(some('head salt', 32), signer.sig, utf8('cadenas/1 room head'), message),
    mac: macUnder(R, epoch, 'room head', message),
  };
}

export function roomHeadCases(keys: TestKeys): readonly Case[] {
  const { ann, ben } = roomPeople(keys);
  const vector = (members: readonly Member[], head: RoomHead, r = R) => ({
    room: ROOM,
    key: r,
    signerSig: ann.sig.modulus,
    members: members.map(row),
    head,
  });
  const both = [ben, ann];
  const fields = fieldsOf(both, ann, EPOCH);
  const sound = proven(fields, ann);
  const accepted = (file: string, what: string, members: readonly Member[], head: RoomHead): Case => {
    const message = messageOf(head);
    const hash = nodeSync.sha256(utf8('cadenas/1 room head hash'), message);
    const parts = toJson({ ...vector(members, head), message, hash }) as object;
    return [file, { kind: 'room-head', what, expect: 'accepted', ...parts }];
  };
  const refused = (name: string, step: string, why: string, head: RoomHead, of: object = {}): Case => {
    const parts = toJson({ ...vector(both, head), ...of }) as object;
    return [
      `room-head-refused-${name}`,
      { kind: 'room-head', what: `a head refused: ${why}`, expect: 'refused', step, ...parts },
    ];
  };
  const message = messageOf(sound);
  return [
    accepted('room-head', 'a head of two members, and what the next one names of it', both, sound),
    accepted('room-head-first', 'the first head of a room', [ann], proven(fieldsOf([ann], ann, 1), ann)),
    refused('list', 'list', 'one of the members has other keys', sound, {
      members: [row(ann), { ...row(ben), fingerprint: some('other keys', 32) }],
    }),
    refused('list-more', 'list', 'of two members, shown with a third', sound, {
      members: both.concat({ ...ben, uid: some('third', 16), name: 'third' }).map(row),
    }),
    refused('signature', 'signature', 'signed by somebody else', proven(fields, ben)),
    refused('owner', 'signature', 'another owner than was signed', { ...sound, owner: ben.uid }),
    refused('room', 'signature', 'of another room', sound, { room: some('other room', 16) }),
    refused('label', 'signature', 'signed under the label of entries', {
      ...sound,
      signature: pssSignWith(some('head salt', 32), ann.sig, utf8('cadenas/1 room entry'), message),
    }),
    refused('key', 'key', 'an R that it is not about', sound, { key: some('other R', 32) }),
    refused('mac', 'mac', 'its maker does not know R', { ...sound, mac: some('mac', 32) }),
    refused('mac-label', 'mac', 'the mac is the one of an entry', {
      ...sound,
      mac: macUnder(R, EPOCH, 'room entry', message),
    }),
  ];
}
