/** What is said in rooms, as it comes (SPEC 9.8). */
import {
  fromHex,
  hex,
  openRoomMessage,
  readFields,
  roomMessageHash,
  structs,
  encodeFields,
  type RoomMessage,
} from '../../../protocol/index.js';
import { arrived, seenBefore } from '../arrival.js';
import { cryptoOf, notice, stateOf, type Desk } from '../desk.js';
import type { Gaps } from '../gaps.js';
import type { Event } from '../reducer.js';
import { contactByUid, HELD_ENTERING_MAX, HELD_MAX, type Held, type Room } from '../state.js';
import { Waiters } from '../waiters.js';
import { memberByUid, roomById } from './roster.js';

/** Who entered waits so long for the next part of what was said before. */
const CAME_MS = 3_000;

export class Said {
  readonly #desk: Desk;
  readonly #gaps: Gaps;
  /** Something does not fit what is known of a room: it is looked at. */
  readonly #lookSoon: (room: string) => void;
  /** Parts that came since somebody waits for those that were said before. */
  readonly #count = new Map<string, number>();
  readonly #waiters: Waiters<true>;
  readonly #ghosts = new Map<string, { readonly version: number; readonly uids: ReadonlySet<string> }>();

  constructor(desk: Desk, gaps: Gaps, lookSoon: (room: string) => void) {
    this.#desk = desk;
    this.#gaps = gaps;
    this.#lookSoon = lookSoon;
    this.#waiters = new Waiters(desk.ports.clock);
  }

  /** Begins to count, before the room is entered. */
  count(room: string): void {
    this.#count.set(room, 0);
  }

  /** Resolves when so many parts came since, or none came for a while. */
  async untilCame(room: string, parts: number): Promise<void> {
    while ((this.#count.get(room) ?? parts) < parts) if (!(await this.#waiters.wait(room, CAME_MS))) break;
    this.#count.delete(room);
  }

  /** A look took the room as it is now, and these were put in without proof: until it changes they need no other. */
  looked({ key, version }: Pick<Room, 'key' | 'version'>, ghosts: readonly string[]): void {
    this.#ghosts.set(key, { version, uids: new Set(ghosts) });
  }

  #isGhost({ key, version }: Room, uid: string): boolean {
    const found = this.#ghosts.get(key);
    return found?.version === version && found.uids.has(uid);
  }

  #came(room: string): void {
    const count = this.#count.get(room);
    if (count === undefined) return;
    this.#count.set(room, count + 1);
    this.#waiters.tell(room, true);
  }

  /** Event rvrm. Of a room that one is not in any more nothing is shown: it was said before, or to others. */
  async onMessage(message: RoomMessage): Promise<Event[]> {
    const room = roomById(stateOf(this.#desk), message.room);
    return room && room.standing !== 'invited' ? this.#take(room, message, true) : [];
  }

  /** Once more, now that the room was looked at. */
  async again({ room: key, fields }: Held): Promise<Event[]> {
    const room = stateOf(this.#desk).rooms.get(key);
    const message = readFields(structs.srms.fields, fromHex(fields), 0) as RoomMessage;
    return room && room.standing === 'member' ? this.#take(room, message, false) : [];
  }

  async #take(room: Room, message: RoomMessage, mayWait: boolean): Promise<Event[]> {
    const state = stateOf(this.#desk);
    const ports = cryptoOf(this.#desk);
    const sender = hex(message.sender);
    const id = hex(message.message);
    const known = `#${room.id}:${sender}:${id}`;
    const isWhole = state.seen.has(`${known}:${String(message.part)}`) && !state.unfinished.has(known);
    if (isWhole || contactByUid(state, sender)?.relation === 'blocked') return [];
    const hash = hex(roomMessageHash(ports.sync, message));
    const member = memberByUid(state, room.key, sender);
    const secret = secretOf(room, message.epoch);
    const refuse = (step: string): Event[] =>
      state.notices.has(hash) ? [] : [notice(this.#desk, 'unreadable', member?.key ?? room.key, step, hash)];
    if (!member && mayWait && this.#isGhost(room, sender)) return refuse('sender');
    const wait =
      mayWait && (room.standing === 'entering' || !member || (secret === undefined && message.epoch > room.epoch));
    if (wait) return this.#hold(room, message, hash);
    if (secret === undefined) return refuse('epoch');
    if (!member || member.refused) return refuse('sender');
    const opened = await openRoomMessage(ports, message, fromHex(secret), fromHex(member.sig));
    if (opened.problem) return refuse(opened.problem);
    const { part, parts, sequence, previous, time } = message;
    const arrival = {
      from: member.key,
      message: known,
      id,
      part,
      parts,
      sequence,
      previous,
      hash,
      time,
      text: opened.text,
    };
    const seen = seenBefore(state, arrival);
    if (seen === 'parts') return refuse(seen);
    if (seen !== 'new') return [];
    this.#came(room.key);
    return arrived(this.#desk, this.#gaps, arrival);
  }

  /** Once: what was looked at already, and told, is not looked at again. */
  #hold(room: Room, message: RoomMessage, key: string): Event[] {
    const { held, notices } = stateOf(this.#desk);
    if (held.has(key) || notices.has(key)) return [];
    const most = room.standing === 'entering' ? HELD_ENTERING_MAX : HELD_MAX;
    if (held.size >= most) return [notice(this.#desk, 'unreadable', room.key, 'sender', key)];
    if (room.standing === 'member') this.#lookSoon(room.key);
    return [{ t: 'held', key, room: room.key, fields: hex(encodeFields(structs.srms, message)) }];
  }
}

function secretOf(room: Room, epoch: number): string | undefined {
  if (epoch === room.epoch) return room.secret;
  return epoch === room.epoch - 1 ? room.former : undefined;
}
