/** A part of the service's load, in a process of its own: who is there and says nothing, who comes and goes, who talks. */
import { setTimeout as delay } from 'node:timers/promises';
import { Code, type LinkedNetwork } from '../../../protocol/index.js';
import { befriend, type RawConnection, type Where } from '../../support/raw.js';
import { inParallel } from '../at-once.js';
import { obeyParent } from '../child.js';
import { percentile, sorted } from '../row.js';
import { messageStruct, readAll, Sender } from '../sender.js';
import { connectFrom } from './connect.js';
import { enter, Logins } from './login.js';
import { addressOf, People } from './people.js';

export interface ServiceSetup {
  readonly where: Where;
  readonly linked: LinkedNetwork;
}

export type ServiceOrder =
  /** People who are there from now on; those after the first `loggedIn` go no further than the handshake. */
  | { readonly kind: 'stay'; readonly first: number; readonly count: number; readonly loggedIn: number }
  | {
      readonly kind: 'logins';
      readonly first: number;
      readonly users: number;
      readonly perSecond: number;
      readonly seconds: number;
    }
  | { readonly kind: 'pairs'; readonly first: number; readonly pairs: number }
  | { readonly kind: 'talk'; readonly perSecond: number; readonly seconds: number }
  /** How it stands, of all that this process was ordered. */
  | { readonly kind: 'state' };

export interface Talked {
  /** sent and delivered: each is answered when its reader has acknowledged it */
  readonly delivered: number;
  /** answered otherwise: on the disk, and not delivered at once */
  readonly queued: number;
  /** ms, from the sending of a message to its answer */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface State {
  /** connections that ended, of those who stay or talk */
  readonly ended: number;
  /** CPU of this process so far, in µs */
  readonly cpu: number;
}

/** Messages of one writer under way at most: the daemon's own bound. */
const WINDOW = 64;

const { where, linked } = JSON.parse(process.argv[2] ?? '{}') as ServiceSetup;
const people = await People.make();
let ended = 0;
const pairs: Sender[] = [];

async function stay(at: number, loggedIn: boolean): Promise<RawConnection> {
  const raw = await connectFrom(addressOf(at), where);
  if (loggedIn) {
    const code = await enter(raw, linked, people.person(at));
    if (code !== Code.done) throw new Error(`login: ${String(code)}`);
  } else if (!(await raw.handshake(linked))?.session) throw new Error('no session');
  void raw.closed.then(() => ended++);
  return raw;
}

async function makePair(first: number): Promise<Sender> {
  const [from, to] = [await stay(first, true), await stay(first + 1, true)];
  const [writer, reader] = [people.person(first), people.person(first + 1)];
  await befriend(from, writer, to, reader);
  readAll(to);
  return new Sender(from, [messageStruct(writer, reader)]);
}

/** Each pair at the same pace, one after another. */
async function talk(perSecond: number, seconds: number): Promise<Talked> {
  const taken: number[] = [];
  let queued = 0;
  const everyMs = (1000 * pairs.length) / perSecond;
  await Promise.all(
    pairs.map(async (sender, at) => {
      await delay((at * everyMs) / pairs.length);
      await sender.pace(WINDOW, 1, everyMs, performance.now() + 1000 * seconds, (_at, ms, code) => {
        taken.push(ms);
        if (code === Code.queued) queued++;
      });
    }),
  );
  const all = sorted(taken);
  return {
    delivered: all.length - queued,
    queued,
    p50: percentile(all, 0.5),
    p99: percentile(all, 0.99),
    max: all.at(-1) ?? 0,
  };
}

await obeyParent(async (order: ServiceOrder) => {
  switch (order.kind) {
    case 'stay':
      await inParallel(order.count, (at) => stay(order.first + at, at < order.loggedIn));
      return { there: order.count };
    case 'logins':
      return new Logins(where, linked, people).run(order.first, order.users, order.perSecond, order.seconds);
    case 'pairs':
      pairs.push(...(await inParallel(order.pairs, (at) => makePair(order.first + 2 * at))));
      return { pairs: pairs.length };
    case 'talk':
      return talk(order.perSecond, order.seconds);
    case 'state': {
      const { user, system } = process.cpuUsage();
      return { ended, cpu: user + system } satisfies State;
    }
  }
});
