/** Texts to a room: parts sealed under the epoch's key, in `srms` (SPEC 9.8). */
import {
  Code,
  concat,
  cutText,
  encodeFields,
  fieldsBetween,
  fieldsLength,
  fromHex,
  hex,
  partFrameId,
  readFields,
  ROOM_MESSAGE,
  roomMessageHash,
  sealRoomMessage,
  structs,
  utf8,
  type RoomMessage,
  type Struct,
  type Values,
} from '../../../protocol/index.js';
import { cryptoOf, stateOf, type Desk } from '../desk.js';
import { error, type ClientError } from '../errors.js';
import type { Carried, Lane, Refusal } from '../lane.js';
import { sealedPart, waitingParts } from '../outgoing.js';
import type { Draft, Sealed } from '../sealing.js';
import type { Chain, Outgoing, Room } from '../state.js';
import { roomKey, roomName } from './names.js';

/** Of an epoch in a message's hexadecimal bytes. */
const EPOCH_AT = 2 * fieldsLength(fieldsBetween(structs.srms.fields, 'room', 'epoch'));
const EPOCH_LENGTH = 2 * 4;

export class RoomLane implements Lane {
  readonly #desk: Desk;
  /** A new epoch has to begin before anything can be sent there. */
  readonly #renew: (room: string) => void;

  constructor(desk: Desk, renew: (room: string) => void) {
    this.#desk = desk;
    this.#renew = renew;
  }

  #room(to: string): Room | undefined {
    return stateOf(this.#desk).rooms.get(to);
  }

  destination(typed: string): string {
    return roomKey(typed);
  }

  mayWrite(to: string): void {
    const room = this.#room(to);
    if (room?.standing !== 'member') throw error('room-unknown', roomName(to));
    if (room.untrusted) throw error('room-untrusted', roomName(to));
  }

  isOpen(to: string): boolean {
    const room = this.#room(to);
    return room?.standing === 'member' && !room.untrusted && !room.closed && room.secret !== undefined;
  }

  /** Not where a new epoch began meanwhile. */
  #isSame(room: Room): boolean {
    return this.isOpen(room.key) && this.#room(room.key)?.epoch === room.epoch;
  }

  async seal(to: string, { id, text, at }: Draft): Promise<Sealed | undefined> {
    const room = this.#room(to);
    if (!room) return undefined;
    const parts = cutText(utf8(text));
    const sealed: Uint8Array[] = [];
    let chain: Chain = room.sent;
    for (const [part, bytes] of parts.entries()) {
      const place = { sequence: chain.sequence + 1, previous: fromHex(chain.hash), part, parts: parts.length };
      const one = await this.#part(room, { ...place, message: fromHex(id), time: at }, bytes);
      sealed.push(one.bytes);
      chain = { sequence: place.sequence, hash: one.hash };
    }
    return this.#isSame(room) ? { envelope: hex(concat(...sealed)), chain } : undefined;
  }

  async #part(
    room: Room,
    fields: Pick<RoomMessage, 'message' | 'sequence' | 'previous' | 'part' | 'parts' | 'time'>,
    text: Uint8Array,
  ): Promise<{ bytes: Uint8Array; hash: string }> {
    const { me } = this.#desk;
    const header = { ...fields, room: fromHex(room.id), epoch: room.epoch, sender: me.uid };
    const ports = cryptoOf(this.#desk);
    const message = await sealRoomMessage(ports, header, text, fromHex(room.secret ?? ''), me.sig);
    return { bytes: encodeFields(structs.srms, message), hash: hex(roomMessageHash(ports.sync, message)) };
  }

  /** What the daemon has of it stays as it is, in the epoch in which it took it; what waits was sealed at once. */
  isStale(entry: Outgoing): boolean {
    const room = this.#room(entry.to);
    const [part] = waitingParts(entry);
    if (entry.envelope === undefined || room === undefined || part === undefined) return false;
    const at = 2 * part * ROOM_MESSAGE + EPOCH_AT;
    return Number.parseInt(entry.envelope.slice(at, at + EPOCH_LENGTH), 16) !== room.epoch;
  }

  /**
   * What the daemon did not take goes with the same ids, sequences and texts: no reader has seen it, and one who has
   * knows it. Each names the one before as it is now.
   */
  async sealAnew(
    to: string,
    entries: readonly Outgoing[],
  ): Promise<readonly (Sealed & { readonly id: string })[] | undefined> {
    const room = this.#room(to);
    if (!room) return undefined;
    const anew: (Sealed & { id: string })[] = [];
    let last: string | undefined;
    let chain = room.sent;
    for (const entry of entries) {
      const texts = cutText(utf8(entry.text));
      const waiting = new Set(waitingParts(entry));
      const parts: string[] = [];
      for (const [part, text] of texts.entries()) {
        const old = readPart(entry, part);
        const before: string = last ?? hex(old.previous);
        const made = waiting.has(part)
          ? await this.#part(room, { ...old, previous: fromHex(before) }, text)
          : { bytes: encodeFields(structs.srms, old), hash: hex(roomMessageHash(cryptoOf(this.#desk).sync, old)) };
        parts.push(hex(made.bytes));
        last = made.hash;
        if (old.sequence === chain.sequence) chain = { sequence: old.sequence, hash: last };
      }
      anew.push({ id: entry.id, envelope: parts.join(''), chain });
    }
    return this.#isSame(room) ? anew : undefined;
  }

  mayGo(to: string): boolean {
    return this.isOpen(to);
  }

  /** A new epoch that does not begin is tried again. */
  wake(to: string): boolean {
    const room = this.#room(to);
    if (room?.standing === 'member' && !room.untrusted && !this.isOpen(to)) this.#renew(to);
    return true;
  }

  carry(entry: Outgoing, part: number): Carried {
    const values = readPart(entry, part) as unknown as Values<Struct>;
    return { struct: structs.srms, values, frameId: partFrameId(fromHex(entry.id), part) };
  }

  /** Another epoch, or no member any more: the room is looked at, which tells. */
  onRefusal(to: string, code: number): Refusal {
    if (code !== Code.conflict && code !== Code.forbidden) return 'fail';
    this.#renew(to);
    return code === Code.conflict ? 'renew' : 'hold';
  }

  held(to: string): ClientError {
    const room = this.#room(to);
    if (room?.untrusted) return error('room-untrusted', roomName(to));
    return error(room?.standing === 'member' ? 'room-busy' : 'room-closed', roomName(to));
  }

  refused(to: string): ClientError {
    return error('room-closed', roomName(to));
  }
}

function readPart(entry: Outgoing, part: number): RoomMessage {
  return readFields(structs.srms.fields, sealedPart(entry, part, ROOM_MESSAGE), 0) as RoomMessage;
}
