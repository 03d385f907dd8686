/** How somebody comes into a room: makes it, enters by its password, follows an invitation (SPEC 9.2, 9.4, 9.7). */
import {
  canonicalPassword,
  Code,
  fingerprint,
  fromHex,
  HASH,
  headHash,
  hex,
  KEY,
  laterCodes,
  listHash,
  noHead,
  noInvitation,
  noWrap,
  RANDOM,
  roomCommitment,
  roomId,
  RoomKind,
  roomSecrets,
  sealRoomKeys,
  signEntry,
  signHead,
  structs,
  unwrapRoomKey,
  wrapRoomKey,
  type Invitation,
  type RoomKeys,
} from '../../../protocol/index.js';
import type { Reply } from '../answers.js';
import { cryptoOf, stateOf, type Desk } from '../desk.js';
import { ClientError, error } from '../errors.js';
import { ROOMS_MAX, type Room } from '../state.js';
import { withoutSent } from './changes.js';
import { readReply, roomFailure, type Keeper } from './keeper.js';
import { roomName } from './names.js';
import { passwordFor, type NewPassword } from './renewal.js';
import { roomById } from './roster.js';
import type { Said } from './said.js';

/** Others may change the room while one enters. */
const TRIES = 5;
const OUTS = 2;

/** All of it is called in the room's line. */
export class Entering {
  readonly #desk: Desk;
  readonly #keeper: Keeper;
  readonly #said: Said;

  constructor(desk: Desk, keeper: Keeper, said: Said) {
    this.#desk = desk;
    this.#keeper = keeper;
    this.#said = said;
  }

  /** @throws ClientError `rooms-full` */
  mustHavePlace(): void {
    if (stateOf(this.#desk).rooms.size >= ROOMS_MAX) throw error('rooms-full');
  }

  /** What is needed to know the room again is on the disk before the daemon is asked. */
  async make(key: string, password: string | undefined, common?: true): Promise<'made' | 'taken'> {
    const { me, ports } = this.#desk;
    const crypto = cryptoOf(this.#desk);
    const { sync } = crypto;
    const nonce = sync.random(RANDOM);
    const id = roomId(sync, me.uid, nonce);
    const at = { room: id, epoch: 1 };
    const under: NewPassword =
      password === undefined
        ? { salt: new Uint8Array(KEY), auth: new Uint8Array(HASH), wrapKey: new Uint8Array(RANDOM) }
        : await passwordFor(this.#desk, id, password);
    const keys: RoomKeys = { key: sync.random(RANDOM), wrapKey: under.wrapKey };
    const self = {
      uid: me.uid,
      name: me.name,
      fingerprint: fingerprint(sync, { enc: me.enc.modulus, sig: me.sig.modulus }),
    };
    const fields = {
      name: roomName(key),
      epoch: 1,
      previous: noHead,
      owner: me.uid,
      list: listHash(sync, id, [self]),
      key: roomCommitment(sync, at, keys.key),
      signer: me.uid,
      time: ports.clock.now(),
    };
    const head = await signHead(crypto, id, fields, me.sig, keys.key);
    const begun: Omit<Room, 'sent'> = {
      key,
      id: hex(id),
      kind: password === undefined ? 'invitation' : 'password',
      standing: 'entering',
      owner: hex(me.uid),
      version: 0,
      epoch: 1,
      head: hex(headHash(sync, id, head)),
      secret: hex(keys.key),
      wrapKey: hex(keys.wrapKey),
      closed: false,
      ...(common ? { common } : {}),
    };
    await this.#keeper.put(key, () => begun);
    const reply = await this.#keeper.link().ask(structs.crms, {
      kind: password === undefined ? RoomKind.invitation : RoomKind.password,
      nonce,
      salt: under.salt,
      auth: under.auth,
      ...(password === undefined ? noWrap : wrapRoomKey(sync, at, keys)),
      block: await sealRoomKeys(crypto, me.enc.modulus, keys),
      ...head,
    });
    /* A daemon that failed may have made it: only a look tells, and where it did not, nothing of it stays. */
    const inDoubt = isInDoubt(reply);
    if (!reply.isError || inDoubt) {
      if ((await this.#keeper.refresh(key)) || !inDoubt) return 'made';
      throw roomFailure(reply, 'crms');
    }
    await this.#keeper.drop(key);
    if (reply.code === Code.conflict) return 'taken';
    if (reply.code === Code.limited && reply.wait === 0) throw error('rooms-full');
    throw roomFailure(reply, 'crms');
  }

  /**
   * A room that is not trusted any more: what the daemon says now is taken for it where somebody began its epoch whom we
   * knew to be in it. A person asks for this, as after a restored backup; nothing that is older is ever taken otherwise.
   * False: the password has to tell.
   */
  async enterAgain(key: string): Promise<boolean> {
    return this.#orAsBefore(key, async () => {
      await this.#keeper.put(key, (now) => {
        if (!now) return undefined;
        const { untrusted: _no, secret: _lost, former: _older, ...known } = withoutSent(now);
        /* Epoch 0: whichever it is, somebody whom we knew has to have begun it, the one included that we were in. */
        return { ...known, ...blank, epoch: 0 };
      });
      return (await this.#settle(key)) === 'in';
    });
  }

  /** What is kept of a room that one was in stays where it could not be entered anew, unless it is gone. */
  async #orAsBefore(key: string, work: () => Promise<boolean>): Promise<boolean> {
    const before = this.#keeper.room(key);
    let isIn = false;
    try {
      isIn = await work();
      return isIn;
    } finally {
      if (!isIn && before?.standing === 'member') await this.#keeper.put(key, (now) => now && withoutSent(before));
    }
  }

  /** False: another password, or no such room. */
  enter(key: string, password: string, common?: true): Promise<boolean> {
    return this.#orAsBefore(key, () => this.#enter(key, password, common));
  }

  async #enter(key: string, password: string, common?: true): Promise<boolean> {
    const crypto = cryptoOf(this.#desk);
    const link = this.#keeper.link();
    const asked = await link.ask(structs.jrms1, { name: roomName(key) });
    if (asked.isError) throw roomFailure(asked, 'jrms');
    const { room, salt } = readReply(asked, structs.jrms1Answer);
    const other = roomById(stateOf(this.#desk), room);
    if (other && other.key !== key) throw error('room-wrap', roomName(key), 'room');
    const stretched = await this.#desk.ports.crypto.password.stretch(canonicalPassword(password), salt);
    const { wrapKey, auth } = roomSecrets(crypto.sync, room, stretched);
    const isNew = this.#keeper.room(key)?.standing !== 'member';
    let isIn = false;
    let outs = 0;
    for (let attempt = 0, before = 0; attempt < TRIES; attempt++) {
      const shown = await link.ask(structs.jrms2, { room, auth });
      if (shown.code === Code.authentication) {
        if (isNew) await this.#keeper.drop(key);
        return false;
      }
      if (shown.isError) throw roomFailure(shown, 'jrms');
      const { epoch, ...wrap } = readReply(shown, structs.jrms2Answer);
      const opened = unwrapRoomKey(crypto.sync, { room, epoch }, wrapKey, wrap);
      if (opened.problem !== undefined) throw error('room-wrap', roomName(key), opened.problem);
      const fresh = {
        ...blank,
        key,
        id: hex(room),
        kind: 'password',
        epoch,
        secret: hex(opened.key),
        wrapKey: hex(wrapKey),
        ...(common ? { common } : {}),
      } as const;
      /* The same epoch a second time: we are in it already, and only lost what we knew of it. */
      isIn ||= epoch === before;
      await this.#keeper.put(key, (now) =>
        now?.id === fresh.id && now.formers ? { ...fresh, formers: now.formers } : fresh,
      );
      isIn ||= await this.#introduce(fresh, auth, noInvitation, isNew);
      before = epoch;
      const settled = isIn ? await this.#settle(key) : 'moved';
      if (settled === 'in') return true;
      if (settled !== 'out') continue;
      [isIn, before] = [false, 0];
      /* Neither in it nor taken in, again and again: not before the next epoch. */
      if (++outs === OUTS) throw error('room-awaits', roomName(key));
    }
    throw error('room-busy', roomName(key));
  }

  /** Goes where one was invited. */
  async follow(room: Room): Promise<void> {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const checked = await this.#keeper.refresh(room.key);
      if (!checked) throw error('room-not-invited', roomName(room.key));
      if (checked.room.standing === 'member') return;
      const { invitation } = checked.room;
      if (!invitation) throw error('room-not-invited', roomName(room.key));
      const { inviter, epoch: invitedEpoch, expires, bound, signature } = invitation;
      const shown: Invitation = {
        inviter: fromHex(inviter),
        invitedEpoch,
        expires,
        bound: fromHex(bound),
        invitation: fromHex(signature),
      };
      await this.#keeper.put(room.key, (now) => now && { ...withoutSent(now), standing: 'entering' });
      if (!(await this.#introduce(checked.room, new Uint8Array(HASH), shown))) continue;
      const settled = await this.#settle(room.key);
      if (settled === 'in') return;
      if (settled === 'out') throw error('room-not-invited', roomName(room.key));
    }
    throw error('room-busy', roomName(room.key));
  }

  /** What was said before comes by itself. moved: a new epoch began meanwhile that is not ours to believe. */
  async #settle(key: string): Promise<'in' | 'moved' | 'out'> {
    try {
      const checked = await this.#keeper.refresh(key);
      if (!checked) return 'out';
      await this.#said.untilCame(key, checked.kept);
      return 'in';
    } catch (thrown) {
      if (thrown instanceof ClientError && thrown.code === 'room-moved') return 'moved';
      throw thrown;
    }
  }

  /** The third step of `jrms`, of a room that is being entered. False where another epoch began, or we are in it already. */
  async #introduce(
    room: Omit<Room, 'sent'>,
    auth: Uint8Array,
    invitation: Invitation,
    isNew = false,
  ): Promise<boolean> {
    const { me, ports } = this.#desk;
    const crypto = cryptoOf(this.#desk);
    const at = { room: fromHex(room.id), epoch: room.epoch };
    const keys = { key: fromHex(room.secret ?? ''), wrapKey: fromHex(room.wrapKey) };
    const self = { uid: me.uid, name: me.name, enc: me.enc.modulus, sig: me.sig.modulus, time: ports.clock.now() };
    const { mac, signature, time } = await signEntry(crypto, at, { ...self, ...invitation }, me.sig, keys.key);
    const block = await sealRoomKeys(crypto, me.enc.modulus, keys);
    this.#said.count(room.key);
    const reply = await this.#keeper.link().ask(structs.jrms3, { ...at, auth, block, time, mac, signature });
    if (!reply.isError) return true;
    if (room.invitation) await this.#keeper.put(room.key, (now) => now && { ...withoutSent(now), standing: 'invited' });
    if (reply.code === Code.conflict) return false;
    if (isInDoubt(reply) && !room.invitation && (await this.#keeper.refresh(room.key))) return true;
    if (isNew) await this.#keeper.drop(room.key);
    if (reply.code === Code.forbidden && room.invitation) await this.#keeper.drop(room.key, 'invitation-ended');
    if (reply.code === Code.forbidden) throw error('room-not-invited', roomName(room.key));
    if (reply.code === Code.authentication) throw error('room-refused', roomName(room.key));
    if (reply.code === Code.limited && reply.wait === 0) throw error('room-full', roomName(room.key));
    throw roomFailure(reply, 'jrms');
  }
}

/** A daemon that failed may have done it. */
function isInDoubt({ code }: Reply): boolean {
  return laterCodes.has(code) && code !== Code.limited;
}

/** A room of which nothing is checked yet. */
const blank = { standing: 'entering', owner: '', version: 0, head: '', closed: false } as const;
