/**
 * What members say to each other in the hands of the daemon, of a former member, and of a member who means ill: fields
 * changed, taken from another of its kind, shown in another room, in another epoch, under another R, of another member.
 * Each holds only as it was made; any other is refused at the step that SPEC 9 says.
 */
import { createDecipheriv } from 'node:crypto';
import {
  checkEntry,
  concat,
  decode,
  headHash,
  hex,
  invitationBound,
  Label,
  listHash,
  listRowOf,
  noHead,
  noInvitation,
  openRoomKeys,
  openRoomMessage,
  provesKey,
  roomCommitment,
  samePublic,
  sealRoomKeys,
  sealRoomMessage,
  signEntry,
  signHead,
  signInvitation,
  structs,
  TAG,
  unwrapRoomKey,
  verifyHead,
  verifyInvitation,
  wrapRoomKey,
  type Invitation,
  type Ports,
  type RoomEntry,
  type RoomHead,
  type RoomMessage,
  type RoomWrap,
  type SyncCrypto,
} from '../../protocol/index.js';
import { nodeAsymmetric, nodeSync, type NodeRsaPrivate } from '../../src/crypto/index.js';
import type { Draws } from '../support/draws.js';
import { findsBug, fuzz, must, sound, type Case } from '../support/fuzz.js';
import { fixedAsymmetric, fixedSync } from '../vectors/fixed-crypto.js';
import { readTestKeys } from '../vectors/keys.js';
import { hkdf, padded, place, roomPeople, seal256, some, uint, type Member } from '../vectors/room-parts.js';
import { Seeded } from '../vectors/seeded.js';
import { drawStruct, noise } from './struct-draws.js';
import { areSound } from './spec-keys.js';

const product: Ports<NodeRsaPrivate> = { sync: nodeSync, asymmetric: nodeAsymmetric };
const seeded = new Seeded('fuzz rooms');
/** The same in every run, so that a case is had again by its seed alone. */
const fixed: Ports<NodeRsaPrivate> = { sync: fixedSync(seeded), asymmetric: fixedAsymmetric(seeded) };
const testKeys = await readTestKeys();
const { ann, ben } = roomPeople(testKeys);
const eve: Member = { uid: some('eve', 16), name: 'eve', enc: testKeys.server, sig: testKeys.senderEnc };
const people = [ann, ben, eve];
const own = (of: Member) => ({ uid: of.uid, name: of.name, enc: of.enc.modulus, sig: of.sig.modulus });

/** Epochs of two rooms, of which two have the same number: a room that the daemon made fall in two. */
interface Epoch {
  readonly room: Uint8Array;
  readonly name: string;
  readonly epoch: number;
  readonly r: Uint8Array;
}
const [here, there] = [some('here', 16), some('there', 16)];
const rs = [0, 1, 2, 3].map((n) => some(`R ${String(n)}`, 32)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
const epochs: readonly Epoch[] = [
  { room: here, name: 'here', epoch: 2, r: rs[1] },
  { room: here, name: 'here', epoch: 3, r: rs[2] },
  { room: here, name: 'here', epoch: 3, r: rs[3] },
  { room: there, name: 'there', epoch: 3, r: rs[2] },
];
/** Before JSON sees them: a Buffer would write itself, and equal bytes would have two texts. */
const bytesOf = (values: object): string =>
  JSON.stringify(
    Object.entries(values).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Uint8Array ? hex(value) : value,
    ]),
  );

function flip(draws: Draws, bytes: Uint8Array): Uint8Array {
  const out = Uint8Array.from(bytes);
  const at = draws.below(out.length);
  out[at] = (out[at] ?? 0) ^ (1 << draws.below(8));
  return out;
}

/** One field changed, or taken from another of its kind. */
function tamper<T extends object>(
  draws: Draws,
  value: T,
  others: readonly T[],
  most: Partial<Record<keyof T, number>> = {},
): T {
  const name = draws.pick(Object.keys(value) as (keyof T)[]);
  const old = value[name];
  const other = draws.pick(others)[name];
  if (draws.chance(0.4)) return { ...value, [name]: other };
  if (old instanceof Uint8Array)
    return { ...value, [name]: draws.chance(0.9) ? flip(draws, old) : noise(draws, old.length) };
  if (typeof old === 'number') {
    const highest = most[name] ?? Number.MAX_SAFE_INTEGER;
    const next = draws.pick([old + 1, old - 1, 0, highest, draws.below(70)]);
    return { ...value, [name]: Math.min(Math.max(next, 0), highest) };
  }
  return { ...value, [name]: draws.pick(['here', 'there', 'eve', 'xyz']) };
}

function tampered<T extends object>(
  draws: Draws,
  value: T,
  others: readonly T[],
  most?: Partial<Record<keyof T, number>>,
): T {
  let out = value;
  for (let left = draws.pick([0, 1, 1, 1, 2]); left > 0; left--) out = tamper(draws, out, others, most);
  return out;
}

const same = (what: string, actual: string | undefined, wanted: string | undefined): void =>
  must(actual === wanted, () => `${what}: it says ${actual ?? 'sound'}, SPEC 9 ${wanted ?? 'sound'}`);

// ---- messages

interface Said {
  readonly by: Member;
  readonly at: Epoch;
  readonly text: Uint8Array;
  readonly message: RoomMessage;
}
const U16 = 65535;
const U32 = 2 ** 32 - 1;
const messageMost = { epoch: U32, part: U16, parts: U16 };
const said: Said[] = [];
for (const at of epochs)
  for (const by of [ann, ben])
    for (const [length, part, parts] of [
      [1, 0, 1],
      [1024, 0, 1],
      [1024, 1, 3],
      [9, 63, 64],
    ] as const) {
      const header = { room: at.room, epoch: at.epoch, sender: by.uid, message: seeded.bytes(16), sequence: 70 };
      const text = new Uint8Array(length).fill(parts === 1 ? 97 : 0xbf);
      const all = { ...header, time: 1_760_000_000_000, previous: seeded.bytes(32), part, parts };
      said.push({ by, at, text, message: await sealRoomMessage(fixed, all, text, at.r, by.sig) });
    }
const byBytes = new Map(said.map((one) => [bytesOf(one.message), one]));

function opens(ports: Ports<NodeRsaPrivate>): Case {
  return async (draws) => {
    const one = draws.pick(said);
    const message = tampered(
      draws,
      one.message,
      said.map((other) => other.message),
      messageMost,
    );
    const key = draws.chance(0.85) ? one.at.r : draws.pick(rs);
    const sig = draws.chance(0.85) ? one.by.sig.modulus : draws.pick(people).sig.modulus;
    const { part, parts, sequence } = message;
    const meant = byBytes.get(bytesOf(message));
    const sealed = meant && samePublic(meant.at.r, key);
    const wanted =
      parts > 64 || part >= parts || sequence <= part
        ? 'header'
        : !sealed
          ? 'seal'
          : samePublic(sig, meant.by.sig.modulus)
            ? undefined
            : 'signature';
    const opened = await openRoomMessage(ports, message, key, sig);
    same('a message', opened.problem, wanted);
    if (!opened.problem) must(meant !== undefined && samePublic(opened.text, meant.text), 'another text');
  };
}
fuzz('a message opens only as it was sealed', 10_000, opens(product));

const headerOf = ({ room, epoch, sender, message, sequence, time, previous, part, parts }: RoomMessage): Uint8Array =>
  concat(
    room,
    uint(4, epoch),
    sender,
    message,
    uint(8, sequence),
    uint(8, time),
    previous,
    uint(2, part),
    uint(2, parts),
  );

/** By a member, who can seal whatever there is, around words of their own or of others. */
function hostile(ports: Ports<NodeRsaPrivate>): Case {
  return async (draws) => {
    const [one, at] = [draws.pick(said), draws.pick(epochs)];
    const { message } = draws.pick([one, one, draws.pick(said)]);
    const moved = { ...message, room: at.room, epoch: at.epoch };
    const quoted = await openRoomMessage(product, one.message, one.at.r, one.by.sig.modulus);
    if (quoted.problem) throw new Error(quoted.problem);
    const text = draws.chance(0.8)
      ? quoted.text
      : draws.pick([new Uint8Array(0), Uint8Array.of(0xff), noise(draws, 1024)]);
    const length = draws.chance(0.8) ? text.length : draws.pick([0, 1, 1023, 1024, 1025, U16]);
    const inner = concat(signatureIn(one), uint(2, length), text, new Uint8Array(1024 - text.length));
    if (draws.chance(0.1)) inner[inner.length - 1] = 1;
    const [hdr, salt] = [headerOf(moved), noise(draws, 32)];
    const key = hkdf(at.r, salt, 'room message', nodeSync.sha256(hdr));
    const sealed = seal256(key, concat(hdr, salt), inner);
    const told = inner.subarray(258, 258 + length);
    const full = message.part + 1 < message.parts ? length === 1024 : length >= 1 && length <= 1024;
    const isText = message.parts > 1 || samePublic(Buffer.from(Buffer.from(told).toString('utf8')), told);
    const clean = full && isText && !inner.subarray(258 + length).some((byte) => byte !== 0);
    const isOwn = message === one.message && samePublic(at.r, one.at.r) && samePublic(hdr, headerOf(one.message));
    const wanted = !clean ? 'text' : isOwn && samePublic(told, one.text) ? undefined : 'signature';
    const opened = await openRoomMessage(ports, { ...moved, salt, sealed }, at.r, one.by.sig.modulus);
    same('a message sealed anew', opened.problem, wanted);
  };
}
function signatureIn({ message, at }: Said): Uint8Array {
  const hdr = headerOf(message);
  const key = hkdf(at.r, message.salt, 'room message', nodeSync.sha256(hdr));
  const inner = nodeSync.aead(key).open(new Uint8Array(12), concat(hdr, message.salt), message.sealed);
  if (!inner) throw new Error('a message of the test does not open');
  return Uint8Array.from(inner.subarray(0, 256));
}
fuzz('a member gets no words of another accepted but where and when they were said', 3_000, hostile(product));

// ---- heads

interface Begun {
  readonly by: Member;
  readonly at: Epoch;
  readonly head: RoomHead;
}
const begun: Begun[] = [];
for (const at of epochs)
  for (const by of [ann, ben]) {
    const rows = [ann, ben].map((one) => listRowOf(nodeSync, own(one)));
    const previous = at.epoch === 2 ? noHead : seeded.bytes(32);
    const fields = {
      name: at.name,
      epoch: at.epoch,
      previous,
      owner: ann.uid,
      list: listHash(nodeSync, at.room, rows),
      key: roomCommitment(nodeSync, at, at.r),
      signer: by.uid,
      time: 1_760_000_000_000,
    };
    begun.push({ by, at, head: await signHead(fixed, at.room, fields, by.sig, at.r) });
  }
const proofs = new Set(['signature', 'mac']);
const withoutProofs = (head: RoomHead): string =>
  bytesOf(Object.fromEntries(Object.entries(head).filter(([name]) => !proofs.has(name))));

function heads(ports: Ports<NodeRsaPrivate>): Case {
  return async (draws) => {
    const one = draws.pick(begun);
    const others = begun.map(({ head }) => head);
    const head = tampered(draws, one.head, others, { epoch: U32 });
    const at = draws.chance(0.85) ? one.at : draws.pick(epochs);
    const sig = draws.chance(0.85) ? one.by.sig.modulus : draws.pick(people).sig.modulus;
    const key = draws.chance(0.85) ? one.at.r : draws.pick(rs);
    /* PSS and HMAC are of all fields and the room: they hold where these are those of one that was made. */
    const meant = begun.find(
      (made) => samePublic(made.at.room, at.room) && withoutProofs(made.head) === withoutProofs(head),
    );
    const is = (name: 'signature' | 'mac'): boolean => !!meant && samePublic(meant.head[name], head[name]);
    const wanted = {
      signature: is('signature') && !!meant && samePublic(sig, meant.by.sig.modulus),
      key: is('mac') && !!meant && samePublic(key, meant.at.r),
    };
    const told = {
      signature: await verifyHead(ports, at.room, head, sig),
      key: sound('provesKey', () => provesKey(ports.sync, at.room, head, key)),
    };
    same('a head', JSON.stringify(told), JSON.stringify(wanted));
    const isSame = hex(headHash(nodeSync, at.room, head)) === hex(headHash(nodeSync, at.room, one.head));
    must(isSame === (withoutProofs(head) === withoutProofs(one.head)), 'two heads have one hash, or one has two');
  };
}
fuzz('a head holds only as it was made', 5_000, heads(product));

// ---- entries and invitations

interface Entered {
  readonly who: Member;
  readonly at: Epoch;
  readonly entry: RoomEntry;
}
const invitations: {
  readonly invitee: Member;
  readonly by: Member;
  readonly at: Epoch;
  readonly invitation: Invitation;
}[] = [];
for (const at of epochs)
  for (const [by, invitee] of [
    [ann, eve],
    [ben, eve],
    [ann, ben],
  ] as const) {
    const bound = invitationBound(nodeSync, seeded.bytes(32), seeded.bytes(256));
    const given = { inviter: by.uid, invitedEpoch: at.epoch, expires: 1_760_000_000_000, bound };
    const invitation = await signInvitation(fixed, at, own(invitee), given, by.sig);
    invitations.push({ invitee, by, at, invitation: { ...given, invitation } });
  }
const entered: Entered[] = [];
for (const at of epochs)
  for (const { invitee, at: where, invitation } of [
    ...invitations.filter((one) => one.at === at),
    { invitee: eve, at, invitation: noInvitation },
  ]) {
    const fields = { ...own(invitee), time: 1_760_000_000_000, ...invitation };
    entered.push({ who: invitee, at, entry: await signEntry(fixed, where, fields, invitee.sig, at.r) });
  }
const sigOf = (uid: Uint8Array): Uint8Array | undefined =>
  [ann, ben].find((one) => samePublic(one.uid, uid))?.sig.modulus;

function entries(ports: Ports<NodeRsaPrivate>): Case {
  return async (draws) => {
    const one = draws.pick(entered);
    const others = entered.map(({ entry }) => entry);
    const entry = tampered(draws, one.entry, others, { invitedEpoch: U32 });
    const at = draws.chance(0.85) ? one.at : draws.pick(epochs);
    const key = draws.chance(0.9) ? one.at.r : draws.pick(rs);
    const alone = draws.chance(0.5);
    const sane = areSound(entry.enc, entry.sig);
    const { mac: _, signature: __, ...fields } = entry;
    const wanted = ((): string | undefined => {
      if (!sane) return 'modulus';
      const meant = entered.find((made) => {
        const { mac: _m, signature: _s, ...own } = made.entry;
        const isThere = samePublic(made.at.room, at.room) && made.at.epoch === at.epoch;
        return isThere && bytesOf(own) === bytesOf(fields) && samePublic(made.entry.mac, entry.mac);
      });
      if (!meant || !samePublic(meant.at.r, key)) return 'mac';
      if (!samePublic(meant.entry.signature, entry.signature)) return 'signature';
      const isInvited = entry.inviter.some((byte) => byte !== 0);
      return !isInvited && alone ? 'inviter' : undefined;
    })();
    same('an entry', await checkEntry(ports, at, entry, key, sigOf, alone), wanted);
  };
}
fuzz('an entry holds only as it was made', 2_000, entries(product));

/** Members and others who know R put an invitation into an entry of their own, which they sign. */
function enters(ports: Ports<NodeRsaPrivate>): Case {
  return async (draws) => {
    const one = draws.pick(invitations);
    const given = tampered(
      draws,
      one.invitation,
      invitations.map(({ invitation }) => invitation),
      { invitedEpoch: U32 },
    );
    const who = draws.chance(0.8) ? one.invitee : draws.pick(people);
    const at = draws.chance(0.8) ? one.at : draws.pick(epochs);
    const meant = invitations.find(
      (made) =>
        made.invitee === who && samePublic(made.at.room, at.room) && bytesOf(made.invitation) === bytesOf(given),
    );
    const sig = sigOf(given.inviter);
    const verified = sig !== undefined && (await verifyInvitation(ports, at, own(who), given, sig));
    must(verified === (meant !== undefined), () => `an invitation ${verified ? 'holds' : 'does not hold'}`);
    if (!draws.chance(0.2)) return; // signing takes longer than all the rest
    const fields = { ...own(who), time: 1_760_000_000_000, ...given };
    const entry = await signEntry(product, at, fields, who.sig, at.r);
    const isNone = given.inviter.every((byte) => byte === 0);
    const invited = !sig || samePublic(given.inviter, who.uid) ? 'inviter' : meant ? undefined : 'invitation';
    same('an entry of their own', await checkEntry(ports, at, entry, at.r, sigOf, true), isNone ? 'inviter' : invited);
  };
}
fuzz('nobody enters by an invitation of another', 3_000, enters(product));

// ---- R under a password, and in blocks

const wrapKeys = [some('wrapKey 0', 32), some('wrapKey 1', 32)];
const wraps = epochs.flatMap((at) =>
  wrapKeys.map((wrapKey) => ({ at, wrapKey, wrap: wrapRoomKey(fixed.sync, at, { key: at.r, wrapKey }) })),
);
function unwraps(sync: SyncCrypto): Case {
  return (draws) => {
    const one = draws.pick(wraps);
    const others = wraps.map(({ wrap }) => wrap);
    const wrap: RoomWrap = tampered(draws, one.wrap, others);
    const at = draws.chance(0.85) ? one.at : draws.pick(epochs);
    const wrapKey = draws.chance(0.85) ? one.wrapKey : draws.pick(wrapKeys);
    const meant = wraps.find(
      (made) =>
        made.wrapKey === wrapKey &&
        hex(place(made.at.room, made.at.epoch)) === hex(place(at.room, at.epoch)) &&
        samePublic(made.wrap.wrapSalt, wrap.wrapSalt) &&
        samePublic(made.wrap.commitment, wrap.commitment),
    );
    const wanted = !meant ? 'commitment' : samePublic(meant.wrap.wrapped, wrap.wrapped) ? undefined : 'seal';
    const opened = unwrapRoomKey(sync, at, wrapKey, wrap);
    same('a wrap', opened.problem, wanted);
    if (!opened.problem) must(!!meant && samePublic(opened.key, meant.at.r), 'another R');
    const again = wrapRoomKey(nodeSync, at, { key: at.r, wrapKey });
    const back = unwrapRoomKey(nodeSync, at, wrapKey, again);
    must(back.problem === undefined && samePublic(back.key, at.r), 'a wrap does not open');
  };
}
fuzz('R under a password is had only as it was wrapped', 5_000, unwraps(nodeSync));

const blocks = await Promise.all(
  people.map(async (to) => ({
    to,
    block: await sealRoomKeys(fixed, to.enc.modulus, { key: rs[1], wrapKey: rs[0] }),
  })),
);
function blocksOpen(ports: Ports<NodeRsaPrivate>): Case {
  return async (draws) => {
    const { block } = draws.pick(blocks);
    const changed = draws.pick([block, flip(draws, block), noise(draws, 256), new Uint8Array(256)]);
    const who = draws.pick(people);
    const meant = blocks.find((made) => made.to === who && samePublic(made.block, changed));
    const keys = await openRoomKeys(ports, who.enc, changed);
    must((keys !== undefined) === (meant !== undefined), 'a block opens that was not made for them');
    if (keys) must(samePublic(keys.key, rs[1]) && samePublic(keys.wrapKey, rs[0]), 'another R');
  };
}
fuzz('a block opens for its member only', 500, blocksOpen(product));

// ---- whatever a daemon sends that passes SPEC 3.5

async function reads(draws: Draws): Promise<void> {
  const drawn = <S extends (typeof structs)[keyof typeof structs]>(struct: S) => {
    const got = decode(struct, drawStruct(draws, struct));
    if (got.problem) throw new Error(`a struct of the test is refused: ${got.problem}`);
    return got.values;
  };
  const [key, sig] = [noise(draws, 32), draws.pick([noise(draws, 256), ann.sig.modulus, new Uint8Array(256)])];
  const run = async (what: string, work: () => unknown): Promise<unknown> => {
    try {
      return await work();
    } catch (error) {
      return must(false, `${what} throws: ${String(error)}`);
    }
  };
  const { room, ...head } = drawn(structs.chrm);
  must((await run('verifyHead', () => verifyHead(product, room, head, sig))) === false, 'a head of noise');
  must((await run('provesKey', () => provesKey(nodeSync, room, head, key))) === false, 'a proof of noise');
  const entry = drawn(draws.pick([structs.enrm, structs.mbrmAnswer]));
  const at = { room, epoch: entry.epoch, name: entry.name };
  const problem = await run('checkEntry', () => checkEntry(product, at, entry, key, () => sig, draws.chance(0.5)));
  must(problem === 'modulus' || problem === 'mac', 'an entry of noise');
  const message = drawn(draws.pick([structs.srms, structs.rvrm]));
  const opened = await run('openRoomMessage', async () => (await openRoomMessage(product, message, key, sig)).problem);
  must(opened === 'header' || opened === 'seal', 'a message of noise');
  const { epoch, ...wrap } = drawn(structs.jrms2Answer);
  const where = { room, epoch };
  must(
    (await run('unwrap', () => unwrapRoomKey(nodeSync, where, key, wrap).problem)) === 'commitment',
    'a wrap of noise',
  );
  const row = drawn(structs.mbrmAnswer);
  await run('listHash', () => listHash(nodeSync, room, [listRowOf(nodeSync, row), row]));
}
fuzz('nothing that the daemon makes up throws, or is believed', 1_500, reads);

// ---- the fuzzer sees what it is for

const withSync = (sync: Partial<SyncCrypto>): Ports<NodeRsaPrivate> => ({ ...product, sync: { ...nodeSync, ...sync } });
const unsigned: Ports<NodeRsaPrivate> = {
  ...product,
  asymmetric: { ...nodeAsymmetric, pssVerify: () => Promise.resolve(true) },
};
const anyTag = withSync({
  aead: (key) => ({
    ...nodeSync.aead(key),
    open: (nonce, _aad, sealed) =>
      createDecipheriv('aes-256-gcm', key, nonce).update(sealed.subarray(0, sealed.length - TAG)),
  }),
});
const anyProof = withSync({ equal: () => true });
/** What is signed of a message, without what ties it to R. */
const anyKey: Ports<NodeRsaPrivate> = {
  ...product,
  asymmetric: {
    ...nodeAsymmetric,
    async pssVerify(modulus, of, message, signature) {
      if (message.length !== 168) return nodeAsymmetric.pssVerify(modulus, of, message, signature);
      const tries = rs.map((r) => {
        const key = hkdf(r, message.subarray(0, 16), 'room key', message.subarray(0, 20));
        return nodeAsymmetric.pssVerify(
          modulus,
          of,
          concat(message.subarray(0, 104), key, message.subarray(136)),
          signature,
        );
      });
      return (await Promise.all(tries)).includes(true);
    },
  },
};
/** What an inviter signs, without the name of the room. */
const anyName: Ports<NodeRsaPrivate> = {
  ...product,
  asymmetric: {
    ...nodeAsymmetric,
    async pssVerify(modulus, of, message, signature) {
      if (!samePublic(of, Label.invite)) return nodeAsymmetric.pssVerify(modulus, of, message, signature);
      const tries = epochs.map(({ room, name }) =>
        nodeAsymmetric.pssVerify(modulus, of, concat(room, padded(name), message.subarray(48)), signature),
      );
      return (await Promise.all(tries)).includes(true);
    },
  },
};
const zeros: Ports<NodeRsaPrivate> = {
  ...product,
  asymmetric: {
    ...nodeAsymmetric,
    oaepOpen: async (...of) => (await nodeAsymmetric.oaepOpen(...of)) ?? new Uint8Array(64),
  },
};
findsBug('tags of messages are not looked at', 5_000, opens(anyTag));
findsBug('signatures of messages are not looked at', 5_000, opens(unsigned));
findsBug('words are not tied to the R under which they were said', 5_000, hostile(anyKey));
findsBug('signatures of heads are not looked at', 5_000, heads(unsigned));
findsBug('proofs of R are not looked at', 5_000, heads(anyProof));
findsBug('signatures of entries are not looked at', 5_000, entries(unsigned));
findsBug('proofs of entries are not looked at', 5_000, entries(anyProof));
findsBug('invitations are not looked at', 5_000, enters(unsigned));
findsBug('an invitation holds in every room', 5_000, enters(anyName));
findsBug('commitments are not looked at', 5_000, unwraps(anyProof.sync));
findsBug('tags of wraps are not looked at', 5_000, unwraps(anyTag.sync));
findsBug('a block that does not open is zeros', 500, blocksOpen(zeros));
