/** The calls of a store that schedules make: how each is made, and what the model says of it. */
import { hex } from '../../protocol/index.js';
import type {
  Account,
  Consent,
  Grant,
  KeptRoom,
  QueueEntry,
  Reply,
  Room,
  RoomMessage,
  Store,
} from '../../src/store/store.js';
import { empty, REFUSED, type Branch, type Step, type StoreModel } from './store-model.js';

const UNREAD_MS = 21 * 24 * 3600_000;
/** HELLOs are kept for at least this. */
const HELLO_MS = 240_000;
const MAX_GRANTS = 16;
const MAX_SAID = 20;
const MAX_PARTS = 64;

export interface StoreCall {
  readonly text: string;
  readonly steps: readonly Step[];
  readonly isRead: boolean;
  /** What was handed in is written over when the call has returned, as a store must bear. */
  perform(store: Store): Promise<unknown>;
}

interface RoomState {
  readonly id: string;
  readonly version: number;
  readonly owner: string;
  readonly state: string;
  readonly said: readonly string[];
}

/** Bytes as text, whatever class carries them, so that two things can be compared whole. */
function whole(value: object): string {
  return Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => `${key}=${each instanceof Uint8Array ? hex(each) : String(each)}`)
    .join(' ');
}

function copied<T extends object>(value: T): T {
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, each instanceof Uint8Array ? Uint8Array.from(each) : each]),
  ) as T;
}

/** Makes the call with copies, and spoils them when it has returned. */
function handing<T extends object, R>(value: T, call: (given: T) => R): R {
  const given = copied(value);
  const result = call(given);
  for (const each of Object.values(given)) if (each instanceof Uint8Array) each.fill(0xee);
  return result;
}

function short(id: string): string {
  return id.slice(0, 6);
}

/** The state of a cell is what its own steps made it: each knows its form. */
function step(cell: string, apply: (state: never) => readonly Branch[], more: Partial<Step> = {}): Step {
  return { cell, apply: (state) => apply(state as never), ...more };
}

/** Calls, with what they are about, and all that was ever handed in. */
export class StoreCalls {
  readonly #model: StoreModel;
  readonly #now: () => number;
  readonly #maxQueueEntries: number;
  readonly #accounts = new Map<string, Account>();
  readonly #entries = new Map<string, QueueEntry>();
  readonly #rooms = new Map<string, Room>();
  readonly #messages = new Map<string, string>();
  /** of each part of a room's message, what its other parts share */
  readonly #wholes = new Map<string, string>();
  readonly #hellos = new Map<string, number>();
  /** Rooms that a user owned at any time, by name. */
  readonly #owned = new Map<string, Set<string>>();
  /** What users were asked about, to be read again. */
  readonly #asked = new Map<string, () => StoreCall>();

  constructor(model: StoreModel, now: () => number, maxQueueEntries: number) {
    this.#model = model;
    this.#now = now;
    this.#maxQueueEntries = maxQueueEntries;
  }

  get hellos(): number {
    return this.#hellos.size;
  }

  /* Accounts. A uid is given once. */

  createAccount(account: Account): StoreCall {
    const uid = hex(account.uid);
    this.#accounts.set(uid, account);
    this.#model.addUser(uid, nameCell(account.name));
    const parts = ['attempts', 'grants', 'queue'].map((part) =>
      step(
        `${uid}/${part}`,
        () => [
          { next: empty(part), shows: 'created' },
          { next: null, shows: 'taken' },
        ],
        { alone: 'after' },
      ),
    );
    const name = step(
      nameCell(account.name),
      (owner: string | null) => [owner === null ? { next: uid, shows: 'created' } : { next: owner, shows: 'taken' }],
      { alone: 'both' },
    );
    return {
      text: `createAccount ${account.name} ${short(uid)}`,
      isRead: false,
      steps: [name, ...parts],
      perform: (store) => handing(account, (given) => store.createAccount(given)),
    };
  }

  deleteAccount(account: Account): StoreCall {
    const uid = hex(account.uid);
    const parts = this.#model
      .parts(uid)
      .map((cell) =>
        step(cell, (state: unknown) => [{ next: null, shows: String(state !== null) }], { alone: 'both' }),
      );
    const name = step(
      nameCell(account.name),
      (owner: string | null) => [owner === uid ? { next: null, shows: 'true' } : { next: owner, shows: 'false' }],
      { alone: 'both' },
    );
    const rooms = [...(this.#owned.get(uid) ?? [])].map((room) =>
      step(roomCell(room), (state: RoomState | null) => [{ next: state?.owner === uid ? null : state }], {
        alone: 'both',
      }),
    );
    return {
      text: `deleteAccount ${account.name} ${short(uid)}`,
      isRead: false,
      steps: [name, ...parts, ...rooms],
      perform: (store) => handing({ uid: account.uid }, (given) => store.deleteAccount(given.uid)),
    };
  }

  accountByName(name: string): StoreCall {
    return {
      text: `accountByName ${name}`,
      isRead: true,
      steps: [
        step(nameCell(name), (owner: string | null) => [{ next: owner, shows: owner ?? 'none' }], { alone: 'both' }),
      ],
      perform: async (store) => this.#accountSeen(await store.accountByName(name)),
    };
  }

  accountByUid({ uid, name }: Account): StoreCall {
    const id = hex(uid);
    return {
      text: `accountByUid ${name} ${short(id)}`,
      isRead: true,
      steps: [
        step(nameCell(name), (owner: string | null) => [{ next: owner, shows: owner === id ? id : 'none' }], {
          alone: 'both',
        }),
      ],
      perform: async (store) => this.#accountSeen(await handing({ uid }, (given) => store.accountByUid(given.uid))),
    };
  }

  #accountSeen(account: Account | undefined): string {
    if (!account) return 'none';
    const uid = hex(account.uid);
    const handed = this.#accounts.get(uid);
    return handed && whole(handed) === whole(account) ? uid : `another account: ${whole(account)}`;
  }

  /* Logins. */

  attempts(uid: Uint8Array): StoreCall {
    return this.#part(
      'attempts',
      uid,
      'attempts',
      '0/0',
      (state: { count: number; last: number }) => [state, attemptsSeen(state)],
      async (store, id) => attemptsSeen(await store.attempts(id)),
    );
  }

  countAttempt(uid: Uint8Array, time: number): StoreCall {
    return this.#change(
      `countAttempt ${String(time)}`,
      uid,
      'attempts',
      ({ count }: { count: number }) => {
        const next = { count: count + 1, last: time };
        return [next, attemptsSeen(next)];
      },
      async (store, id) => attemptsSeen(await store.countAttempt(id, time)),
    );
  }

  clearAttempts(uid: Uint8Array): StoreCall {
    return this.#change(
      'clearAttempts',
      uid,
      'attempts',
      () => [empty('attempts'), 'undefined'],
      (store, id) => store.clearAttempts(id),
    );
  }

  saveGrant(uid: Uint8Array, grant: Grant, time: number): StoreCall {
    const hash = hex(grant.hash);
    return this.#change(
      `saveGrant ${short(hash)} ${String(grant.ends)}`,
      uid,
      'grants',
      (grants: string[]) => {
        const kept = grants.filter((each) => Number(each.split(' ')[1]) >= time && !each.startsWith(hash));
        return [[...kept, `${hash} ${String(grant.ends)}`].slice(-MAX_GRANTS), 'undefined'];
      },
      (store, id) => handing(grant, (given) => store.saveGrant(id, given, time)),
    );
  }

  grants(uid: Uint8Array): StoreCall {
    return this.#part(
      'grants',
      uid,
      'grants',
      '',
      (grants: string[]) => [grants, grants.join()],
      async (store, id) => (await store.grants(id)).map(({ hash, ends }) => `${hex(hash)} ${String(ends)}`).join(),
    );
  }

  revokeGrant(uid: Uint8Array, hash: Uint8Array): StoreCall {
    return this.#change(
      `revokeGrant ${short(hex(hash))}`,
      uid,
      'grants',
      (grants: string[]) => [grants.filter((each) => !each.startsWith(hex(hash))), 'undefined'],
      (store, id) => handing({ hash }, (given) => store.revokeGrant(id, given.hash)),
    );
  }

  /* Consents and replies. */

  consent(of: Uint8Array, towards: Uint8Array): StoreCall {
    return this.#part(
      'consent',
      of,
      consentPart(towards),
      'none',
      (said: string) => [said, said],
      async (store, id) => (await handing({ towards }, (given) => store.consent(id, given.towards))) ?? 'none',
    );
  }

  setConsent(of: Uint8Array, towards: Uint8Array, consent: Consent): StoreCall {
    this.#asked.set(`consent ${hex(of)} ${hex(towards)}`, () => this.consent(of, towards));
    return this.#change(
      `setConsent ${short(hex(towards))} ${consent}`,
      of,
      consentPart(towards),
      () => [consent, 'undefined'],
      (store, id) => handing({ towards }, (given) => store.setConsent(id, given.towards, consent)),
    );
  }

  reply(uid: Uint8Array, frameId: Uint8Array): StoreCall {
    return this.#part(
      'reply',
      uid,
      replyPart(frameId),
      'none',
      (kept: string) => {
        const time = Number(/ time=(\d+)/.exec(kept)?.[1] ?? Infinity);
        return [kept, time < this.#now() - UNREAD_MS ? 'none' : kept];
      },
      async (store, id) => {
        const found = await handing({ frameId }, (given) => store.reply(id, given.frameId));
        return found ? whole(found) : 'none';
      },
    );
  }

  keepReply(uid: Uint8Array, reply: Reply): StoreCall {
    this.#asked.set(`reply ${hex(uid)} ${hex(reply.frameId)}`, () => this.reply(uid, reply.frameId));
    return this.#change(
      `keepReply ${short(hex(reply.frameId))} ${String(reply.code)}`,
      uid,
      replyPart(reply.frameId),
      () => [whole(reply), 'undefined'],
      (store, id) => handing(reply, (given) => store.keepReply(id, given)),
    );
  }

  /* Queues: their state is the ids of the entries. Ids are given once. */

  enqueue(uid: Uint8Array, entry: QueueEntry): StoreCall {
    const id = hex(entry.id);
    this.#entries.set(id, entry);
    const replay = replayOf(entry);
    return this.#change(
      `enqueue ${short(id)} ${short(hex(entry.key))}`,
      uid,
      'queue',
      (all: string[]) => {
        const waiting = this.#waiting(all);
        if (waiting.some((each) => replayOf(this.#entry(each)) === replay)) return [waiting, 'known'];
        if (waiting.length >= this.#maxQueueEntries) return [waiting, 'full'];
        const same = waiting.filter((each) => hex(this.#entry(each).from) === hex(entry.from)).length;
        if (same > 0 && same + 1 > this.#maxQueueEntries / 2) return [waiting, 'full'];
        return [[...waiting, id], 'queued'];
      },
      (store, of) => handing(entry, (given) => store.enqueue(of, given)),
    );
  }

  queued(uid: Uint8Array, after: Uint8Array | undefined, limit: number): StoreCall {
    const from = after && hex(after);
    return this.#part(
      `queued ${from === undefined ? 'all' : short(from)} ${String(limit)}`,
      uid,
      'queue',
      '',
      (all: string[]) => {
        const waiting = this.#waiting(all);
        const start = from === undefined ? 0 : waiting.includes(from) ? waiting.indexOf(from) + 1 : waiting.length;
        return [waiting, waiting.slice(start, start + limit).join()];
      },
      async (store, id) => {
        const given = after && Uint8Array.from(after);
        const found = store.queued(id, given, limit);
        given?.fill(0xee);
        return this.#entriesSeen(await found);
      },
    );
  }

  queueLength(uid: Uint8Array): StoreCall {
    return this.#part(
      'queueLength',
      uid,
      'queue',
      '0',
      (all: string[]) => {
        const waiting = this.#waiting(all);
        return [waiting, String(waiting.length)];
      },
      (store, id) => store.queueLength(id),
    );
  }

  acknowledge(uid: Uint8Array, ids: readonly Uint8Array[]): StoreCall {
    const gone = ids.map((id) => hex(id));
    return this.#part(
      `acknowledge ${gone.map(short).join(' ')}`,
      uid,
      'queue',
      '',
      (all: string[]) => {
        const waiting = this.#waiting(all);
        const removed = [...new Set(gone)].filter((id) => waiting.includes(id));
        return [waiting.filter((id) => !gone.includes(id)), removed.join()];
      },
      async (store, of) => {
        const given = ids.map((id) => Uint8Array.from(id));
        const removed = store.acknowledge(of, given);
        for (const each of given) each.fill(0xee);
        return (await removed).map((id) => hex(id)).join();
      },
      false,
    );
  }

  dequeue(uid: Uint8Array, from: Uint8Array): StoreCall {
    return this.#part(
      `dequeue ${short(hex(from))}`,
      uid,
      'queue',
      '0',
      (all: string[]) => {
        const waiting = this.#waiting(all);
        const left = waiting.filter((id) => hex(this.#entry(id).from) !== hex(from));
        return [left, String(waiting.length - left.length)];
      },
      (store, of) => handing({ from }, (given) => store.dequeue(of, given.from)),
      false,
    );
  }

  #waiting(all: readonly string[]): string[] {
    return all.filter((id) => this.#entry(id).time >= this.#now() - UNREAD_MS);
  }

  #entry(id: string): QueueEntry {
    const entry = this.#entries.get(id);
    if (!entry) throw new Error(`nobody queued ${id}`);
    return entry;
  }

  #entriesSeen(entries: readonly QueueEntry[]): string {
    return entries
      .map((entry) => {
        const id = hex(entry.id);
        const handed = this.#entries.get(id);
        return handed && whole(handed) === whole(entry) ? id : `another entry: ${whole(entry)}`;
      })
      .join();
  }

  /* Rooms: a cell for each name. Ids are given once. */

  createRoom(room: Room): StoreCall {
    const id = hex(room.id);
    const owner = hex(room.owner);
    this.#rooms.set(id, room);
    this.#own(owner, room.name);
    const first: RoomState = { id, version: 1, owner, state: hex(room.state), said: [] };
    return {
      text: `createRoom ${room.name} ${short(id)} of ${short(owner)}`,
      isRead: false,
      steps: [
        this.#ownerStep(owner),
        step(
          roomCell(room.name),
          (state: RoomState | null) => [
            state ? { next: state, shows: 'taken' } : { next: first, shows: 'created' },
            { next: state, shows: REFUSED },
          ],
          { alone: 'both' },
        ),
      ],
      perform: (store) => handing(room, (given) => store.createRoom(given)),
    };
  }

  /** Only a user can own a room; the room's own step leaves it open whether it is refused. */
  #ownerStep(owner: string): Step {
    const name = this.#accounts.get(owner)?.name ?? '';
    return step(nameCell(name), (uid: string | null) => [{ next: uid, shows: uid === owner ? undefined : REFUSED }]);
  }

  #own(owner: string, room: string): void {
    const owned = this.#owned.get(owner) ?? new Set();
    this.#owned.set(owner, owned.add(room));
  }

  roomByName(name: string): StoreCall {
    return {
      text: `roomByName ${name}`,
      isRead: true,
      steps: [step(roomCell(name), (state: RoomState | null) => [{ next: state, shows: roomShown(name, state) }])],
      perform: async (store) => roomSeen(await store.roomByName(name)),
    };
  }

  roomById(room: Room): StoreCall {
    return this.#room(
      'roomById',
      room,
      (state) => [state, roomShown(room.name, state)],
      async (store, id) => roomSeen(await store.roomById(id)),
      true,
    );
  }

  changeRoom(room: Room, version: number, owner: Uint8Array, bytes: Uint8Array): StoreCall {
    this.#own(hex(owner), room.name);
    const call = this.#room(
      `changeRoom ${String(version)} to ${short(hex(owner))}`,
      room,
      (state) => {
        if (!state) return [state, REFUSED];
        if (state.version !== version) return [state, 'stale'];
        return [{ ...state, version: version + 1, owner: hex(owner), state: hex(bytes) }, 'changed'];
      },
      (store, id) => handing({ owner, state: bytes }, (given) => store.changeRoom(id, version, given)),
    );
    const refusable = call.steps.map((each) => ({
      ...each,
      apply: (state: unknown) => [...each.apply(state), { next: state, shows: REFUSED }],
    }));
    return { ...call, steps: [this.#ownerStep(hex(owner)), ...refusable] };
  }

  /** The version that the room has, if it is known; 0 where there is none. */
  version({ name, id }: Room): number {
    const [state] = this.#model.possible(roomCell(name)) as (RoomState | null)[];
    return state?.id === hex(id) ? state.version : 0;
  }

  /** True where the account is there for certain. */
  isThere({ uid, name }: Account): boolean {
    const owners = this.#model.possible(nameCell(name));
    return owners.length === 1 && owners[0] === hex(uid);
  }

  say(room: Room, message: RoomMessage): StoreCall {
    const replay = `${hex(message.from)}${hex(message.key)}`;
    this.#messages.set(replay, whole(message));
    this.#wholes.set(replay, `${hex(message.from)}${hex(message.message)}`);
    return this.#room(
      `say ${short(hex(message.key))}`,
      room,
      (state) => {
        if (!state) return [state, REFUSED];
        if (state.said.includes(replay)) return [state, 'known'];
        return [{ ...state, said: this.#newest([...state.said, replay]) }, 'said'];
      },
      (store, id) => handing(message, (given) => store.say(id, given)),
    );
  }

  /** The newest messages, by the part that came first. */
  #newest(replays: readonly string[]): string[] {
    const parts = new Map<string, string[]>();
    for (const replay of replays) {
      const whole = this.#wholes.get(replay) ?? replay;
      parts.set(whole, [...(parts.get(whole) ?? []), replay]);
    }
    const kept = new Set([...parts.values()].slice(-MAX_SAID).flatMap((own) => own.slice(-MAX_PARTS)));
    return replays.filter((replay) => kept.has(replay));
  }

  said(room: Room): StoreCall {
    return this.#room(
      'said',
      room,
      (state) => [state, state?.said.join() ?? ''],
      async (store, id) =>
        (await store.said(id))
          .map((message) => {
            const replay = `${hex(message.from)}${hex(message.key)}`;
            return this.#messages.get(replay) === whole(message) ? replay : `another message: ${whole(message)}`;
          })
          .join(),
      true,
    );
  }

  deleteRoom(room: Room): StoreCall {
    const call = this.#room(
      'deleteRoom',
      room,
      (state) => [null, String(state !== null)],
      (store, id) => store.deleteRoom(id),
    );
    return { ...call, steps: call.steps.map((each) => ({ ...each, alone: 'both' })) };
  }

  /** @param does with the room of this id, or null where there is none: what it becomes, and what is shown */
  #room(
    text: string,
    { id, name }: Room,
    does: (state: RoomState | null) => [RoomState | null, string],
    perform: (store: Store, id: Uint8Array) => Promise<unknown>,
    isRead = false,
  ): StoreCall {
    const key = hex(id);
    return {
      text: `${text} in ${name} ${short(key)}`,
      isRead,
      steps: [
        step(roomCell(name), (state: RoomState | null) => {
          const [next, shows] = does(state?.id === key ? state : null);
          return [{ next: state?.id === key ? next : state, shows }];
        }),
      ],
      perform: (store) => handing({ id }, (given) => perform(store, given.id)),
    };
  }

  /* HELLOs. */

  rememberHello(random: Uint8Array, time: number): StoreCall {
    const id = hex(random);
    this.#hellos.set(id, time);
    return {
      text: `rememberHello ${short(id)}`,
      isRead: false,
      steps: [step(`hello ${id}`, () => [{ next: true, shows: 'undefined' }])],
      perform: (store) => handing({ random }, (given) => store.rememberHello(given.random, time)),
    };
  }

  recentHellos(since: number): StoreCall {
    const must = [...this.#hellos].filter(([, time]) => time >= Math.max(since, this.#now() - HELLO_MS));
    return {
      text: `recentHellos ${String(since)}`,
      isRead: true,
      steps: [
        step('hellos', (state: null) => [{ next: state, shows: 'no stranger' }], {
          seen: (result) => this.#strangers(result, since),
        }),
        ...must.map(([id]) =>
          step(`hello ${id}`, (state: boolean | null) => [{ next: state, shows: String(state === true) }], {
            alone: 'both',
            seen: (result) => String(Array.isArray(result) && result.includes(id)),
          }),
        ),
      ],
      perform: async (store) =>
        (await store.recentHellos(since))?.map(({ random, time }) =>
          this.#hellos.get(hex(random)) === time ? hex(random) : `another hello: ${hex(random)} ${String(time)}`,
        ),
    };
  }

  #strangers(result: unknown, since: number): string {
    if (!Array.isArray(result)) return 'the record is lost';
    if (new Set(result).size !== result.length) return 'one twice';
    const stranger = result.find((id: string) => (this.#hellos.get(id) ?? -Infinity) < since) as string | undefined;
    return stranger ?? 'no stranger';
  }

  /** Reads of everything that was ever handed in. */
  readAll(): StoreCall[] {
    const accounts = [...this.#accounts.values()];
    const rooms = [...this.#rooms.values()];
    return [
      ...[...new Set(accounts.map(({ name }) => name))].map((name) => this.accountByName(name)),
      ...accounts.flatMap((account) => [
        this.accountByUid(account),
        this.attempts(account.uid),
        this.grants(account.uid),
        this.queued(account.uid, undefined, 1000),
        this.queueLength(account.uid),
      ]),
      ...[...this.#asked.values()].map((read) => read()),
      ...[...new Set(rooms.map(({ name }) => name))].map((name) => this.roomByName(name)),
      ...rooms.flatMap((room) => [this.roomById(room), this.said(room)]),
      this.recentHellos(0),
    ];
  }

  /** A change of a user's part: refused where there is no account. */
  #change(
    text: string,
    uid: Uint8Array,
    part: string,
    does: (state: never) => [unknown, string],
    perform: (store: Store, uid: Uint8Array) => Promise<unknown>,
  ): StoreCall {
    return this.#part(text, uid, part, REFUSED, does, perform, false);
  }

  /** @param absent what is shown where there is no account */
  #part(
    text: string,
    uid: Uint8Array,
    part: string,
    absent: string,
    does: (state: never) => [unknown, string],
    perform: (store: Store, uid: Uint8Array) => Promise<unknown>,
    isRead = true,
  ): StoreCall {
    const id = hex(uid);
    const apply = step(`${id}/${part}`, (state: unknown) => {
      if (state === null) return [{ next: null, shows: absent }];
      const [next, shows] = does(state as never);
      return [{ next, shows }];
    });
    return {
      text: `${text} of ${short(id)}`,
      isRead,
      steps: [apply],
      perform: (store) => handing({ uid }, (given) => perform(store, given.uid)),
    };
  }
}

function nameCell(name: string): string {
  return `name ${name}`;
}

function roomCell(name: string): string {
  return `room ${name}`;
}

function consentPart(towards: Uint8Array): string {
  return `consent ${hex(towards)}`;
}

function replyPart(frameId: Uint8Array): string {
  return `reply ${hex(frameId)}`;
}

function replayOf({ opcode, from, key }: QueueEntry): string {
  return `${String(opcode)} ${hex(from)} ${hex(key)}`;
}

function attemptsSeen({ count, last }: { readonly count: number; readonly last: number }): string {
  return `${String(count)}/${String(last)}`;
}

function roomShown(name: string, state: RoomState | null): string {
  return state ? `${name} ${state.id} ${String(state.version)} ${state.owner} ${state.state}` : 'none';
}

function roomSeen(room: KeptRoom | undefined): string {
  if (!room) return 'none';
  return roomShown(room.name, {
    id: hex(room.id),
    version: room.version,
    owner: hex(room.owner),
    state: hex(room.state),
    said: [],
  });
}
