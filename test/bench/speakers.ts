/** Client cores in a process of their own, who write to somebody at a terminal as fast as they are answered. */
import { registerCore, type ClientCore } from '../../src/client/index.js';
import type { LinkedNetwork } from '../../protocol/index.js';
import { passwordClient } from '../../src/crypto/index.js';
import { connectTcp } from '../../src/transport/tcp.js';
import { clientCrypto, MemoryStorage, MovableClock } from '../unit/client-support.js';
import { obeyParent } from './child.js';

export interface Setup {
  readonly host: string;
  readonly port: number;
  readonly linked: LinkedNetwork;
}

export type Order =
  /** So many come, and the first of them asks somebody to talk; done when that is accepted. */
  | { readonly kind: 'come'; readonly count: number; readonly ask: string }
  /** They make a room and are in it. */
  | { readonly kind: 'room'; readonly room: string; readonly password: string }
  /** To a person the first of them writes, in a room all. What was said at the end is the last that arrives. */
  | {
      readonly kind: 'speak';
      readonly to: string;
      readonly seconds: number;
      readonly window: number;
      readonly last: string;
    };

export interface Spoken {
  readonly messages: number;
}

const { host, port, linked } = JSON.parse(process.argv[2] ?? '{}') as Setup;
const secrets = { password: 'correct horse', words: 'river stone lamp' };
const cores: ClientCore[] = [];

async function come(count: number, ask: string): Promise<void> {
  /* A room's password is stretched as it is everywhere, or the reader's would be another. */
  const crypto = { ...(await clientCrypto()), password: await passwordClient() };
  for (let at = 0; at < count; at++) {
    const [storage, clock] = [new MemoryStorage(), new MovableClock()];
    const ports = { linked, server: { host, port }, connect: connectTcp, crypto, storage, clock, log: () => undefined };
    cores.push(await registerCore(ports, `speaker${String(at)}`, secrets));
  }
  const [first] = cores;
  if (!first) throw new Error('nobody came');
  const accepted = new Promise<void>((resolve) => {
    first.on((event) => {
      if (event.type === 'row' && event.row.type === 'notice' && event.row.kind === 'accepted') resolve();
    });
  });
  await first.call('add', { name: ask });
  await accepted;
}

async function makeRoom(room: string, password: string): Promise<void> {
  const [owner, ...others] = cores;
  await owner?.call('room-create', { room, inviteOnly: false, password });
  for (const core of others) await core.call('room-join', { room, password });
}

async function speak({ to, seconds, window, last }: Extract<Order, { kind: 'speak' }>): Promise<Spoken> {
  const speakers = to.startsWith('#') ? cores : cores.slice(0, 1);
  const end = performance.now() + 1000 * seconds;
  let messages = 0;
  const say = async (core: ClientCore, text: string): Promise<void> => {
    messages++;
    const { state, trouble } = await core.call('send', { to, text });
    if (trouble) throw new Error(`${state}: ${trouble.message}`);
  };
  const keepOn = async (core: ClientCore): Promise<void> => {
    while (performance.now() < end)
      await say(core, `message ${String(messages)}: ${'some words of a usual length, '.repeat(1 + (messages % 3))}😄`);
  };
  await Promise.all(speakers.flatMap((core) => Array.from({ length: window }, () => keepOn(core))));
  if (cores[0]) await say(cores[0], last);
  return { messages };
}

await obeyParent(async (order: Order) => {
  switch (order.kind) {
    case 'come':
      await come(order.count, order.ask);
      return { count: order.count };
    case 'room':
      await makeRoom(order.room, order.password);
      return { room: order.room };
    case 'speak':
      return speak(order);
  }
});
