/** The load, in a process of its own: what the bench asks for by messages, what it measured back. */
import { Code, structs, type LinkedNetwork } from '../../protocol/index.js';
import type { Person } from '../support/people.js';
import { befriend, logIn, makeUser, RawConnection, registerUser, type RawUser, type Where } from '../support/raw.js';
import { inParallel } from './at-once.js';
import { obeyParent } from './child.js';
import { percentile, sorted } from './row.js';
import { leave, meet } from './room-load.js';
import { frames, messageStruct, readAll, Sender } from './sender.js';

export type Order =
  | { readonly kind: 'pairs'; readonly pairs: number }
  /** Writers whose readers go away, `each` of them for each writer. */
  | { readonly kind: 'absent'; readonly writers: number; readonly readers: number; readonly each: number }
  | { readonly kind: 'route'; readonly seconds: number; readonly window: number }
  | { readonly kind: 'queue'; readonly writers: number; readonly seconds: number; readonly window: number }
  /** Pairs with one message under way each, while `perSecond` are queued for the absent. */
  | { readonly kind: 'probe'; readonly seconds: number; readonly perSecond: number }
  /** So many users, who are there. */
  | { readonly kind: 'crowd'; readonly count: number }
  /** The first of them enter a room; some of those speak in it. */
  | { readonly kind: 'room'; readonly name: string; readonly members: number; readonly speakers: number }
  /** All but the first go away. */
  | { readonly kind: 'away'; readonly stay: number }
  | { readonly kind: 'say'; readonly room: string; readonly seconds: number; readonly window: number }
  | { readonly kind: 'logins'; readonly count: number; readonly at_once: number }
  | { readonly kind: 'idle'; readonly count: number };

export interface Setup {
  readonly where: Where;
  readonly linked: LinkedNetwork;
}

export interface Flooded {
  readonly messages: number;
  readonly ms: number;
  /** both ways */
  readonly frames: number;
  /** messages that arrived */
  readonly delivered: number;
  /** messages that were answered 202: at least one copy went to the disk */
  readonly queued: number;
  /** ms, from the sending of a message to its answer */
  readonly p50: number;
  readonly p99: number;
}

/** When a message was answered, in ms since 1970, and how long it took, in ms. */
export type Sample = readonly [at: number, ms: number];

interface Pair {
  readonly writer: Sender;
  readonly to: RawConnection;
  readonly users: readonly RawUser[];
}

const PACE_MS = 10;

const { where, linked } = JSON.parse(process.argv[2] ?? '{}') as Setup;

async function online(user: RawUser): Promise<Person> {
  const raw = await RawConnection.connect(where, linked.pins);
  await raw.handshake(linked);
  const registered = await registerUser(raw, user);
  if (registered.header.code !== Code.done && registered.header.code !== Code.conflict)
    throw new Error(`crea: ${String(registered.header.code)}`);
  const { header } = await logIn(raw, user);
  if (header.code !== Code.done) throw new Error(`login: ${String(header.code)}`);
  const cnnt = await raw.event(structs.cnnt);
  await raw.event(structs.drnd);
  return { user, raw, cnnt: cnnt.values };
}

function people(count: number, name: string): Promise<Person[]> {
  return inParallel(count, async (at) => online(await makeUser(`${name}${String(at)}`)));
}

async function makePairs(count: number): Promise<Pair[]> {
  const [senders, readers] = [await people(count, 'sender'), await people(count, 'reader')];
  return inParallel(count, async (at) => {
    const [from, to] = [senders[at], readers[at]];
    if (!from || !to) throw new Error('no pair');
    await befriend(from.raw, from.user, to.raw, to.user);
    readAll(to.raw);
    return {
      writer: new Sender(from.raw, [messageStruct(from.user, to.user)]),
      to: to.raw,
      users: [from.user, to.user],
    };
  });
}

/** One befriending after another: each reader takes the next request that comes. */
async function makeAbsent(writers: number, readers: number, each: number): Promise<Sender[]> {
  const [from, to] = [await people(writers, 'writer'), await people(readers, 'absent')];
  const senders: Sender[] = [];
  for (const [at, { raw, user }] of from.entries()) {
    const own = Array.from({ length: each }, (_, i) => to[(at * each + i) % to.length]).filter((one) => !!one);
    for (const reader of own) await befriend(raw, user, reader.raw, reader.user);
    senders.push(
      new Sender(
        raw,
        own.map((reader) => messageStruct(user, reader.user)),
      ),
    );
  }
  await leave(to);
  return senders;
}

async function flood(senders: readonly Sender[], seconds: number, window: number): Promise<Flooded> {
  const taken: number[] = [];
  let queued = 0;
  const before = { ...frames };
  const began = performance.now();
  const end = began + 1000 * seconds;
  await Promise.all(
    senders.map((sender) =>
      sender.flood(window, end, (_at, ms, code) => {
        taken.push(ms);
        if (code === Code.queued) queued++;
      }),
    ),
  );
  const ms = performance.now() - began;
  const all = sorted(taken);
  return {
    messages: all.length,
    ms,
    frames: frames.count - before.count,
    delivered: frames.delivered - before.delivered,
    queued,
    p50: percentile(all, 0.5),
    p99: percentile(all, 0.99),
  };
}

async function probe(seconds: number, perSecond: number): Promise<{ samples: Sample[]; queued: number }> {
  const samples: Sample[] = [];
  let queued = 0;
  const end = performance.now() + 1000 * seconds;
  const each = Math.round((perSecond * PACE_MS) / 1000 / absent.length);
  const background = perSecond > 0 ? absent.map((sender) => sender.pace(64, each, PACE_MS, end, () => queued++)) : [];
  const probes = pairs.map(({ writer }) =>
    writer.pace(1, 1, 1, end, (at, ms) => samples.push([performance.timeOrigin + at, ms])),
  );
  await Promise.all([...probes, ...background]);
  return { samples, queued };
}

/** Whole logins, handshake included, of users that exist; some at once. */
async function logins(count: number, atOnce: number): Promise<{ count: number; ms: number }> {
  const users = pairs.flatMap((pair) => pair.users);
  let next = 0;
  const started = performance.now();
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) {
      const user = users[i % users.length];
      if (!user) throw new Error('no users');
      const raw = await RawConnection.connect(where, linked.pins);
      await raw.handshake(linked);
      const { header } = await logIn(raw, user);
      if (header.code !== Code.done) throw new Error(`login: ${String(header.code)}`);
      raw.close();
      await raw.closed;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { count, ms: performance.now() - started };
}

/** Connections after their handshake, which then say nothing. */
async function idle(count: number): Promise<{ count: number }> {
  await inParallel(count, async () => {
    const raw = await RawConnection.connect(where, linked.pins);
    if (!(await raw.handshake(linked))?.session) throw new Error('no session');
  });
  return { count };
}

let pairs: Pair[] = [];
let absent: Sender[] = [];
let crowd: Person[] = [];
const speakers = new Map<string, Sender[]>();

await obeyParent(async (order: Order) => {
  switch (order.kind) {
    case 'pairs':
      pairs = await makePairs(order.pairs);
      return { pairs: pairs.length };
    case 'absent':
      absent = await makeAbsent(order.writers, order.readers, order.each);
      return { writers: absent.length };
    case 'route':
      return flood(
        pairs.map(({ writer }) => writer),
        order.seconds,
        order.window,
      );
    case 'queue':
      return flood(absent.slice(0, order.writers), order.seconds, order.window);
    case 'probe':
      return probe(order.seconds, order.perSecond);
    case 'crowd':
      crowd = await people(order.count, 'guest');
      return { guests: crowd.length };
    case 'room':
      speakers.set(order.name, await meet(crowd.slice(0, order.members), order.name, order.speakers));
      return { members: order.members };
    case 'away':
      await leave(crowd.slice(order.stay));
      return { stay: order.stay };
    case 'say':
      return flood(speakers.get(order.room) ?? [], order.seconds, order.window);
    case 'logins':
      return logins(order.count, order.at_once);
    case 'idle':
      return idle(order.count);
  }
});
