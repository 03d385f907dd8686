/** Vectors of entries and invitations: what somebody says who enters, and what let them (SPEC 9.6, 9.7). */
import { concat, type EntryFields, type RoomEntry } from '../../protocol/index.js';
import { nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import { NOW } from './case-handshake.js';
import type { Case } from './case-struct.js';
import { oaepSealWith, pssSignWith } from './fixed-crypto.js';
import { toJson } from './format.js';
import type { TestKeys } from './keys.js';
import {
  EPOCH,
  flipped,
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
  WRAP_KEY,
  words,
  type Member,
} from './room-parts.js';

type Given = Pick<EntryFields, 'inviter' | 'invitedEpoch' | 'expires' | 'bound' | 'invitation'>;
const none: Given = {
  inviter: new Uint8Array(16),
  invitedEpoch: 0,
  expires: 0,
  bound: new Uint8Array(32),
  invitation: new Uint8Array(256),
};
const HEAD = some('head hash', 32);
const EXPIRES = NOW + 3_600_000;

interface Where {
  readonly room: Uint8Array;
  readonly name: string;
  readonly epoch: number;
}
const here: Where = { room: ROOM, name: ROOM_NAME, epoch: EPOCH };

/** An invitation of the epoch before, which still holds. */
function invited(inviter: Member, invitee: Member, block: Uint8Array, where: Where = { ...here, epoch: 2 }): Given {
  const bound = nodeSync.sha256(words('invitation'), HEAD, block);
  const { room, name, epoch } = where;
  const at = concat(room, padded(name), uint(4, epoch), inviter.uid, invitee.uid);
  const message = concat(at, print(invitee), uint(8, EXPIRES), bound);
  const invitation = pssSignWith(some('invite salt', 32), inviter.sig, words('invite'), message);
  return { inviter: inviter.uid, invitedEpoch: epoch, expires: EXPIRES, bound, invitation };
}

function entryOf(who: Member, given: Given, moduli: Partial<Pick<EntryFields, 'enc' | 'sig'>> = {}): EntryFields {
  const { uid, name, enc, sig } = who;
  return { uid, name, enc: enc.modulus, sig: sig.modulus, ...moduli, time: NOW, ...given };
}

function messageOf(entry: EntryFields): Uint8Array {
  const { uid, name, enc, sig, time, inviter, invitedEpoch, expires, bound, invitation } = entry;
  const own = concat(place(), uid, padded(name), enc, sig, uint(8, time));
  return concat(own, inviter, uint(4, invitedEpoch), uint(8, expires), bound, invitation);
}

/** @param signedUnder the R of the mac that is signed */
function proven(fields: EntryFields, signer: NodeRsaPrivate, r = R, signedUnder = r): RoomEntry {
  const message = messageOf(fields);
  const [mac, signed] = [r, signedUnder].map((one) => macUnder(one, EPOCH, 'room entry', message));
  if (!mac || !signed) throw new Error('no macs');
  const signature = pssSignWith(some('entry salt', 32), signer, words('room entry'), concat(message, signed));
  return { ...fields, mac, signature };
}

export function roomEntryCases(keys: TestKeys): readonly Case[] {
  const { ann, ben } = roomPeople(keys);
  const block = some('block', 256);
  const members = [{ uid: ann.uid, sig: ann.sig.modulus }];
  const vector = (entry: RoomEntry, kind: number) => ({ ...here, kind, key: R, members, entry });
  const accepted = (file: string, what: string, fields: EntryFields, kind: number): Case => {
    const parts = { ...vector(proven(fields, ben.sig), kind), message: messageOf(fields) };
    return [file, { kind: 'room-entry', what, expect: 'accepted', ...renamed(parts) }];
  };
  const refused = (name: string, step: string, why: string, entry: RoomEntry, kind = 0, of: object = {}): Case => {
    const what = `an entry refused: ${why}`;
    const parts = renamed({ ...vector(entry, kind), ...of });
    return [`room-entry-refused-${name}`, { kind: 'room-entry', what, expect: 'refused', step, ...parts }];
  };
  const byPassword = entryOf(ben, none);
  const byInvitation = entryOf(ben, invited(ann, ben, block));
  const even = flipped(ben.enc.modulus, 255);
  const twice = { enc: ben.sig.modulus };
  const changed = { ...proven(byInvitation, ben.sig), name: 'bob' };
  return [
    accepted('room-entry', 'somebody enters by the password', byPassword, 0),
    accepted('room-entry-invitation', 'somebody enters by invitation alone', byInvitation, 1),
    accepted('room-entry-both', 'an invitation to a room with a password', byInvitation, 0),
    refused('modulus', 'modulus', 'an even modulus', proven(entryOf(ben, none, { enc: even }), ben.sig)),
    refused('modulus-twice', 'modulus', 'one modulus for both', proven(entryOf(ben, none, twice), ben.sig)),
    refused('mac', 'mac', 'its maker does not know R', proven(byPassword, ben.sig, some('other R', 32))),
    refused('epoch', 'mac', 'shown in the epoch behind', proven(byPassword, ben.sig), 0, { epoch: EPOCH + 1 }),
    refused('name', 'mac', 'another name than was said', changed, 1),
    refused('signature', 'signature', 'signed by another key than it names', proven(byPassword, ann.sig)),
    refused(
      'key',
      'signature',
      'of an epoch of the same number with another R, its mac made anew',
      proven(byPassword, ben.sig, R, some('other R', 32)),
    ),
    refused('uninvited', 'inviter', 'no inviter, where the room has no password', proven(byPassword, ben.sig), 1),
    refused('inviter', 'inviter', 'the inviter is no member', proven(byInvitation, ben.sig), 1, { members: [] }),
    refused('self', 'inviter', 'invited by themselves', proven(entryOf(ben, invited(ben, ben, block)), ben.sig), 1, {
      members: members.concat({ uid: ben.uid, sig: ben.sig.modulus }),
    }),
    refused(
      'invitation',
      'invitation',
      'the invitation of another invitee',
      proven(entryOf(ben, invited(ann, ann, block)), ben.sig),
      1,
    ),
    refused(
      'expires',
      'invitation',
      'a later end than the inviter signed',
      proven(entryOf(ben, { ...invited(ann, ben, block), expires: EXPIRES + 1 }), ben.sig),
      1,
    ),
  ];
}

/** `kind` is the vector's own. */
function renamed({ kind, ...rest }: { readonly kind: number; readonly [name: string]: unknown }): object {
  return toJson({ ...rest, roomKind: kind }) as object;
}

export function roomInvitationCases(keys: TestKeys): readonly Case[] {
  const { ann, ben } = roomPeople(keys);
  const block = oaepSealWith(some('seed', 32), ben.enc.modulus, words('room'), concat(R, WRAP_KEY));
  const who = { uid: ben.uid, enc: ben.enc.modulus, sig: ben.sig.modulus };
  const vector = (given: Given) => {
    const { inviter, expires, invitation } = given;
    return { ...here, inviter, inviterSig: ann.sig.modulus, invitee: who, expires, head: HEAD, block, invitation };
  };
  const sound = vector(invited(ann, ben, block, here));
  const { bound } = invited(ann, ben, block, here);
  const what = 'an invitation, bound to the head and to the block that came with it';
  const refused = (name: string, why: string, change: Partial<typeof sound>): Case => [
    `room-invitation-refused-${name}`,
    {
      kind: 'room-invitation',
      what: `an invitation refused: ${why}`,
      expect: 'refused',
      step: 'invitation',
      ...(toJson({ ...sound, ...change }) as object),
    },
  ];
  const given = (where: Where, inviter = ann) => ({ invitation: invited(inviter, ben, block, where).invitation });
  return [
    [
      'room-invitation',
      { kind: 'room-invitation', what, expect: 'accepted', ...(toJson({ ...sound, bound }) as object) },
    ],
    refused('invitee', 'of another invitee', { invitation: invited(ann, ann, block, here).invitation }),
    refused('keys', 'the invitee has other keys', { invitee: { ...who, enc: ann.enc.modulus } }),
    refused('name', 'to a room of another name', given({ ...here, name: 'lounge' })),
    refused('room', 'to another room', given({ ...here, room: some('other room', 16) })),
    refused('epoch', 'of another epoch', given({ ...here, epoch: EPOCH - 1 })),
    refused('inviter', 'signed by somebody else', given(here, ben)),
    refused('expires', 'with a later end', { expires: EXPIRES + 1 }),
    refused('block', 'with another block', { block: flipped(block, 9) }),
    refused('head', 'of another head', { head: flipped(HEAD, 31) }),
  ];
}
