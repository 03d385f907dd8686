/** Begins a new epoch of a room: a new key for those who stay (SPEC 9.9). */
import {
  canonicalPassword,
  Code,
  fromHex,
  HASH,
  hex,
  KEY,
  noWrap,
  RANDOM,
  ROOM_BLOCKS,
  ROOM_REMOVED,
  roomAuthHash,
  roomCommitment,
  roomSecrets,
  sealRoomKeys,
  signHead,
  structs,
  wrapRoomKey,
  type RoomKeys,
} from '../../../protocol/index.js';
import { cryptoOf, type Desk } from '../desk.js';
import { error } from '../errors.js';
import type { Keys, Member, Room } from '../state.js';
import { withoutSent } from './changes.js';
import type { Checked } from './check.js';
import { roomFailure, type Keeper } from './keeper.js';
import { roomName } from './names.js';
import { listOf } from './roster.js';

/** Others may begin epochs at the same time; one is first each time. */
const TRIES = 5;

export interface Change {
  /** who goes; where they are gone already they know the password still, and only a new one is set */
  readonly removed?: string;
  /** who owns the room from now on */
  readonly owner?: Pick<Member, 'uid' | 'name'>;
  /** set anew */
  readonly password?: string;
}

/** What lies under a password that was set anew. */
export interface NewPassword {
  readonly salt: Uint8Array;
  readonly auth: Uint8Array;
  readonly wrapKey: Uint8Array;
}

const noPassword = { salt: new Uint8Array(KEY), auth: new Uint8Array(HASH) };

/** Costs an Argon2id. @param password as typed */
export async function passwordFor(desk: Desk, room: Uint8Array, password: string): Promise<NewPassword> {
  const { crypto } = desk.ports;
  const salt = crypto.sync.random(KEY);
  const stretched = await crypto.password.stretch(canonicalPassword(password), salt);
  const { wrapKey, auth } = roomSecrets(crypto.sync, room, stretched);
  return { salt, auth: roomAuthHash(crypto.sync, auth), wrapKey };
}

/** The owner, or, where the owner has left, who begins the epoch. */
function ownerOf({ owner }: Pick<Room, 'owner'>, staying: readonly Member[], me: string): string {
  return staying.some(({ uid }) => uid === owner) ? owner : me;
}

export class Renewal {
  readonly #desk: Desk;
  readonly #keeper: Keeper;

  constructor(desk: Desk, keeper: Keeper) {
    this.#desk = desk;
    this.#keeper = keeper;
  }

  /**
   * Call in line. Without a change: only where the epoch is closed, or its key never came.
   * @returns the room as it is then
   * @throws ClientError
   */
  async renew(key: string, change: Change = {}): Promise<Checked> {
    const asked = Object.keys(change).length > 0;
    let fresh: NewPassword | undefined;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const checked = await this.#look(key);
      const { room } = checked;
      if (!asked && !room.closed && room.secret !== undefined) return checked;
      const { removed, ...rest } = change;
      const people = [...checked.members.filter(({ left }) => !left), ...checked.invitees];
      const isHere = removed === undefined || people.some(({ uid }) => uid === removed);
      if (!isHere && rest.password === undefined) return checked;
      if (rest.owner && !people.some(({ uid }) => uid === rest.owner?.uid))
        throw error('room-no-member', roomName(key), rest.owner.name);
      if (rest.password !== undefined) fresh ??= await passwordFor(this.#desk, fromHex(room.id), rest.password);
      if (await this.#begin(checked, isHere ? change : rest, fresh)) return this.#look(key);
    }
    throw error('room-busy', roomName(key));
  }

  async #look(key: string): Promise<Checked> {
    const checked = await this.#keeper.refresh(key);
    if (!checked) throw error('room-unknown', roomName(key));
    return checked;
  }

  /** False where somebody was first. */
  async #begin(checked: Checked, change: Change, fresh: NewPassword | undefined): Promise<boolean> {
    const { room } = checked;
    const ports = cryptoOf(this.#desk);
    const hasPassword = room.kind === 'password';
    /* Without wrapKey nobody can put the next R under the password. */
    if (hasPassword && !fresh && room.wrapKey === '') throw error('room-untrusted', roomName(room.key));
    const id = fromHex(room.id);
    const epoch = room.epoch + 1;
    const keys: RoomKeys = {
      key: ports.sync.random(RANDOM),
      wrapKey: hasPassword ? (fresh?.wrapKey ?? fromHex(room.wrapKey)) : new Uint8Array(RANDOM),
    };
    const staying = checked.members.filter(({ uid, left }) => !left && uid !== change.removed);
    /* Who is only invited is no member to be removed: no block is made for them. */
    const invitees = checked.invitees.filter(({ uid }) => uid !== change.removed);
    const isMember = checked.members.some(({ uid, left }) => uid === change.removed && !left);
    const removed = [
      ...(isMember && change.removed !== undefined ? [change.removed] : []),
      ...checked.ghosts.slice(0, ROOM_REMOVED - 1).map(({ uid }) => uid),
    ];
    if (!(await this.#stage(id, epoch, [...staying, ...invitees], keys))) return false;
    const head = await signHead(
      ports,
      id,
      {
        name: roomName(room.key),
        epoch,
        previous: fromHex(room.head),
        owner: fromHex(change.owner?.uid ?? ownerOf(room, staying, hex(this.#desk.me.uid))),
        list: listOf(ports.sync, id, staying),
        key: roomCommitment(ports.sync, { room: id, epoch }, keys.key),
        signer: this.#desk.me.uid,
        time: this.#desk.ports.clock.now(),
      },
      this.#desk.me.sig,
      keys.key,
    );
    const reply = await this.#keeper.link().ask(structs.rtrm2, {
      room: id,
      version: room.version,
      renewed: fresh ? 1 : 0,
      ...(fresh ?? noPassword),
      ...(hasPassword ? wrapRoomKey(ports.sync, { room: id, epoch }, keys) : noWrap),
      ...head,
      removed: removed.map((uid) => ({ uid: fromHex(uid) })),
    });
    if (reply.code === Code.conflict) return false;
    if (reply.code === Code.forbidden) throw error('room-not-owner', roomName(room.key));
    if (change.owner && reply.code === Code.limited && reply.wait === 0)
      throw error('room-owner-full', change.owner.name);
    if (reply.isError) throw roomFailure(reply, 'rtrm');
    /* Their invitation was taken back: a daemon that shows it again is not believed. */
    const { removed: out } = change;
    if (out !== undefined && !isMember)
      await this.#keeper.put(
        room.key,
        (now) => now && { ...withoutSent(now), formers: { ...now.formers, [out]: room.epoch } },
      );
    return true;
  }

  async #stage(room: Uint8Array, epoch: number, people: readonly Keys[], keys: RoomKeys): Promise<boolean> {
    const link = this.#keeper.link();
    const ports = cryptoOf(this.#desk);
    const sent: ReturnType<typeof link.request>[] = [];
    for (let from = 0; from < people.length; from += ROOM_BLOCKS) {
      const some = people.slice(from, from + ROOM_BLOCKS);
      const blocks = await Promise.all(
        some.map(async ({ uid, enc }) => ({ uid: fromHex(uid), block: await sealRoomKeys(ports, fromHex(enc), keys) })),
      );
      const asked = link.ask(structs.rtrm1, { room, epoch, from, blocks });
      asked.catch(() => undefined); // awaited below, where its failure is thrown
      sent.push(asked);
    }
    for (const reply of await Promise.all(sent)) {
      /* Where we were removed the next look tells it. */
      if (reply.code === Code.conflict || reply.code === Code.forbidden) return false;
      if (reply.isError) throw roomFailure(reply, 'rtrm');
    }
    return true;
  }
}
