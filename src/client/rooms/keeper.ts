/** Keeps what this client knows of a room in step with the daemon: asks, checks, takes over (SPEC 9.10). */
import { Code, decode, fromHex, hex, laterCodes, structs, type Struct, type Values } from '../../../protocol/index.js';
import { cryptoOf, notice, stateOf, type Desk } from '../desk.js';
import { ClientError, error, limitedFor } from '../errors.js';
import type { Reply } from '../answers.js';
import type { Link } from '../link.js';
import type { Event } from '../reducer.js';
import type { Held, Room } from '../state.js';
import { checkSnapshot, type Checked, type CheckProblem, type RoomRow, type Snapshot } from './check.js';
import { memberKey, roomName } from './names.js';
import { Waiters } from '../waiters.js';
import { memberEvents, memberKeys } from './roster.js';

/** A look begins again this often while others change the room. */
const ROUNDS = 8;
/** While events about it wait at the daemon: so long for each of them, and so often without one. */
const BEHIND_MS = 1_000;
const BEHIND_WAITS = 10;
/** How long a look waits for the daemon's limits; one that nobody asked for begins again when they allow it. */
const OWN = { most: 20_000 };
/** Rows that are asked for at once. */
const ROWS_AT_ONCE = 64;

export interface KeeperParts {
  readonly desk: Desk;
  readonly link: () => Link | undefined;
  /** What to do with a message that waited for this look. */
  readonly look: (held: Held) => Promise<Event[]>;
  /** Texts may go to the room now, or have to be sealed anew. */
  readonly opened: (room: string) => void;
  /** A look took the room as it is now. @param ghosts uids of who was put in without proof */
  readonly looked: (room: Room, ghosts: readonly string[]) => void;
  /** Nothing of the room is kept any more. */
  readonly gone: (room: string) => void;
}

/** What an answer that is no success means where nothing more is known about it. */
export function roomFailure(reply: Reply, what: string): ClientError {
  if (reply.code === Code.limited) return limitedFor(reply.wait);
  return laterCodes.has(reply.code)
    ? error('unavailable', String(reply.code))
    : error('refused', what, String(reply.code));
}

export function readReply<S extends Struct>(reply: Reply, struct: S): Values<S> {
  const decoded = decode(struct, reply.struct);
  if (decoded.problem) throw error('protocol', struct.name);
  return decoded.values;
}

export class Keeper {
  readonly #parts: KeeperParts;
  readonly #lines = new Map<string, Promise<unknown>>();
  readonly #movedOn: Waiters<true>;
  /** What waits for its turn in a room: it will see what the same, asked for now, would. */
  readonly #soon = new Set<string>();
  /** Work that waits for the daemon's limits: what cancels it. */
  readonly #putOff = new Set<() => void>();

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    this.#movedOn = new Waiters(parts.desk.ports.clock);
  }

  /** Something about the room is on the disk. */
  moved(key: string): void {
    this.#movedOn.tell(key, true);
  }

  /** @throws ClientError why there is no session */
  link(): Link {
    const link = this.#parts.link();
    if (!link) throw this.#parts.desk.trouble() ?? error('offline');
    return link;
  }

  get hasLink(): boolean {
    return this.#parts.link() !== undefined;
  }

  room(key: string): Room | undefined {
    return stateOf(this.#parts.desk).rooms.get(key);
  }

  /** What changes a room, one after another. */
  inLine<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#lines.get(key) ?? Promise.resolve();
    const done = before.then(work);
    const line = done
      .catch(() => undefined) // the caller has the failure; the line goes on
      .finally(() => {
        if (this.#lines.get(key) === line) this.#lines.delete(key);
      });
    this.#lines.set(key, line);
    return done;
  }

  /** Looks at a room that something did not fit to; its failure is no news: the next login looks again. */
  lookSoon(key: string): void {
    this.soon('look', key, () => this.refresh(key));
  }

  /** In line, once where it is asked for often. @param what tells it from other work on the room */
  soon(what: string, key: string, work: () => Promise<unknown>): void {
    const waits = what + key;
    if (this.#soon.has(waits)) return;
    this.#soon.add(waits);
    this.#quietly(key, () => {
      this.#soon.delete(waits);
      return work();
    });
  }

  #quietly(key: string, work: () => Promise<unknown>): void {
    const { desk } = this.#parts;
    const done = this.inLine(key, work).catch((thrown: unknown) => {
      if (!(thrown instanceof ClientError)) throw thrown;
      desk.ports.log(`${key}: ${thrown.code}`);
      if (thrown.wait > 0 && this.hasLink) this.#later(thrown.wait, key, work);
    });
    desk.background(done);
  }

  /** The daemon said when. */
  #later(ms: number, key: string, work: () => Promise<unknown>): void {
    const cancel = this.#parts.desk.ports.clock.after(ms, () => {
      this.#putOff.delete(cancel);
      this.#quietly(key, work);
    });
    this.#putOff.add(cancel);
  }

  /** The next login looks at all that was put off. */
  offline(): void {
    for (const cancel of this.#putOff) cancel();
    this.#putOff.clear();
  }

  /** The queue of a login is in: what was left in the middle, what waits for a look, and what we were not told. */
  drained(): void {
    const { rooms, held } = stateOf(this.#parts.desk);
    const waits = new Set([...held.values()].map(({ room }) => room));
    for (const { key, standing, leaving } of rooms.values()) {
      if (standing === 'entering' || leaving || waits.has(key)) this.lookSoon(key);
      else this.#quietly(key, () => this.#lookIfMoved(key));
    }
  }

  async #lookIfMoved(key: string): Promise<void> {
    const room = this.room(key);
    if (!room || room.untrusted) return;
    const state = await this.#state(fromHex(room.id));
    if (state?.version !== room.version) await this.refresh(key);
  }

  /**
   * Call in line. undefined: we are not in the room any more, and nothing of it is kept.
   * @throws ClientError `room-untrusted`, and what the link gives
   */
  async refresh(key: string): Promise<Checked | undefined> {
    let patience = BEHIND_WAITS;
    for (let round = 0; round < ROUNDS; round++) {
      const before = this.room(key);
      if (!before) return undefined;
      const snapshot = await this.#fetch(before);
      if (snapshot === 'changing') continue;
      const taken = await this.#parts.desk.inTurn(() => this.#take(key, before.version, snapshot, patience > 0));
      if (taken === 'behind') {
        patience = (await this.#movedOn.wait(key, BEHIND_MS)) ? BEHIND_WAITS : patience - 1;
        round--; // nothing was refused: what brings us there is on its way
        continue;
      }
      if (taken === 'stale') continue;
      if (taken === 'gone') return undefined;
      const now = await this.#state(fromHex(before.id));
      const room = this.room(key);
      /* Events may have brought us further than the look did; they count. */
      if (room && now?.version === room.version) {
        const ghosts = taken.room.version === room.version ? taken.ghosts.map(({ uid }) => uid) : [];
        this.#parts.looked(room, ghosts);
        return taken;
      }
    }
    throw error('room-busy', roomName(key));
  }

  async #state(room: Uint8Array): Promise<Snapshot['state'] | undefined> {
    const reply = await this.link().ask(structs.strm, { room }, OWN);
    if (reply.code === Code.forbidden) return undefined;
    if (reply.isError) throw roomFailure(reply, 'strm');
    return readReply(reply, structs.strmAnswer);
  }

  async #fetch({ id }: Room): Promise<Snapshot | undefined | 'changing'> {
    const room = fromHex(id);
    const state = await this.#state(room);
    if (!state) return undefined;
    const link = this.link();
    const rows: RoomRow[] = [];
    for (let at = 0; at < state.rows; at += ROWS_AT_ONCE) {
      const some = Array.from({ length: Math.min(ROWS_AT_ONCE, state.rows - at) }, (_, i) => at + i);
      const replies = await Promise.all(some.map((index) => link.ask(structs.mbrm, { room, index }, OWN)));
      for (const reply of replies) {
        if (reply.code === Code.notFound || reply.code === Code.forbidden) return 'changing';
        if (reply.isError) throw roomFailure(reply, 'mbrm');
        const row = readReply(reply, structs.mbrmAnswer);
        if (row.version !== state.version || row.index !== rows.length) return 'changing';
        rows.push(row);
      }
    }
    return { state, rows };
  }

  /**
   * @param least the version up to which we had followed before it was asked for
   * @param patient events that would bring us further are waited for
   */
  async #take(
    key: string,
    least: number,
    snapshot: Snapshot | undefined,
    patient: boolean,
  ): Promise<Checked | 'stale' | 'gone' | 'behind'> {
    const { desk } = this.#parts;
    const room = this.room(key);
    if (!room) return 'gone';
    if (!snapshot) {
      await this.forget(room, whyGone(room));
      return 'gone';
    }
    const { version, epoch, behind } = snapshot.state;
    const isStale = version < room.version;
    if (isStale && version >= least) return 'stale';
    /* Whoever leaps over an epoch can't read what was said in it. */
    if (patient && behind === 1 && room.standing !== 'entering' && epoch > room.epoch) return 'behind';
    const checked = isStale ? ({ problem: 'old' } as const) : await checkSnapshot(desk, room, snapshot);
    if (checked.problem !== undefined) {
      if (room.standing === 'invited') {
        await this.forget(room, 'invitation-ended');
        this.#decline(room);
        return 'gone';
      }
      if (checked.problem === 'moved') throw error('room-moved', roomName(key));
      await this.#untrusted(room, checked.problem);
      throw error('room-untrusted', roomName(key));
    }
    /* What would prove their entry may be on its way. */
    if (patient && behind === 1 && room.standing === 'member' && checked.ghosts.length > 0) return 'behind';
    await desk.record(...this.#takenOver(room, checked));
    await this.#lookAgain(key);
    const { standing, closed, secret } = checked.room;
    if (standing === 'member' && !closed && secret !== undefined) this.#parts.opened(key);
    return checked;
  }

  /** Otherwise nobody could invite us anew. Where it does not get through, the next inviter is told that we are invited. */
  #decline({ key, id }: Room): void {
    this.#quietly(key, () => this.link().ask(structs.dcrm, { room: fromHex(id) }));
  }

  /** Told once: it stays as it is until the room is entered anew. */
  async #untrusted({ sent: _sent, ...room }: Room, step: CheckProblem): Promise<void> {
    if (room.untrusted) return;
    const { desk } = this.#parts;
    await desk.record({ t: 'room', room: { ...room, untrusted: true } }, notice(desk, 'untrusted', room.key, step));
  }

  #takenOver(before: Room, { room, members, ghosts }: Checked): Event[] {
    const { desk } = this.#parts;
    const state = stateOf(desk);
    const events: Event[] = [];
    for (const { uid, name, step } of ghosts) {
      if (step === 'key') continue; // not theirs: `room-key` tells of it
      const told = `${room.id}:${uid}:${String(room.epoch)}`;
      if (!state.notices.has(told)) events.push(notice(desk, 'ghost', memberKey(room.key, name), step, told));
    }
    if (room.secret === undefined && before.epoch !== room.epoch)
      events.push(notice(desk, 'room-key', room.key, String(room.epoch)));
    for (const { key, uid, refused } of members) {
      const told = `${room.id}:${uid}`;
      if (refused && !state.members.get(key)?.refused && !state.notices.has(told))
        events.push(notice(desk, 'ghost', key, 'pinned', told));
    }
    const stay = new Set(members.map(({ key }) => key));
    const gone = memberKeys(state, room.key).filter((key) => !stay.has(key));
    events.push(...memberEvents(members, gone));
    events.push({ t: 'room', room });
    return events;
  }

  /** Messages that waited are looked at once more, in the order in which they came. */
  async #lookAgain(key: string): Promise<void> {
    const { desk, look } = this.#parts;
    for (const held of [...stateOf(desk).held.values()]) {
      if (held.room !== key) continue;
      const events = await look(held);
      await desk.record(...events, { t: 'unheld', keys: [held.key] });
    }
  }

  /** From the line: behind the event that is being handled, and as the room is then. `to` undefined: nothing is written. */
  put(key: string, to: (now: Room | undefined) => Omit<Room, 'sent'> | undefined): Promise<void> {
    const { desk } = this.#parts;
    return desk.inTurn(async () => {
      const room = to(this.room(key));
      if (room) await desk.record({ t: 'room', room });
    });
  }

  /** From the line. */
  drop(key: string, why?: 'invitation-ended'): Promise<void> {
    return this.#parts.desk.inTurn(async () => {
      const room = this.room(key);
      if (room) await this.forget(room, why);
    });
  }

  /** In turn. Nothing of the room stays, on the disk either. */
  async forget(
    { key, invitation: used }: Room,
    why?: 'you-removed' | 'room-deleted' | 'invitation-ended',
  ): Promise<void> {
    const { desk, gone } = this.#parts;
    const at = desk.ports.clock.now();
    const invitation = used && { invitation: hex(cryptoOf(desk).sync.sha256(fromHex(used.signature))) };
    await desk.record({ t: 'room-gone', room: key, at, ...invitation }, ...(why ? [notice(desk, why, key)] : []));
    gone(key);
  }
}

/** What the person is told where the daemon says that they are not in it: nothing of what they were just doing. */
function whyGone({ standing, leaving, invitation }: Room): 'you-removed' | 'invitation-ended' | undefined {
  if (standing === 'member') return leaving ? undefined : 'you-removed';
  return standing === 'invited' || invitation ? 'invitation-ended' : undefined;
}
