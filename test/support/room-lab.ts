/** Client cores in this process, each with a disk of its own in memory: at a real daemon, or at its server in this process. */
import { openCore, registerCore, type ClientCore, type ClientPorts, type Item } from '../../src/client/index.js';
import { connectTcp } from '../../src/transport/tcp.js';
import type { FuzzedDaemon } from '../fuzz/daemon-server.js';
import { clientCrypto, MemoryStorage, MovableClock } from '../unit/client-support.js';
import { isNotice, secrets, unread } from '../unit/client-parties.js';
import type { Daemon } from './daemon.js';
import type { Teardown } from './temp.js';

export interface Guest {
  readonly name: string;
  readonly storage: MemoryStorage;
  readonly clock: MovableClock;
  core: ClientCore;
}

/** A daemon, in a process of its own or in this one, as a client comes to it. */
export type Host = Pick<ClientPorts, 'linked' | 'server' | 'connect'>;

export function atDaemon(daemon: Daemon): Host {
  const { network, host, port } = daemon;
  return { linked: network.linked, server: { host, port }, connect: connectTcp };
}

export function atServer({ linked, open }: Pick<FuzzedDaemon, 'linked' | 'open'>): Host {
  return { linked, server: { host: 'memory', port: 1 }, connect: () => Promise.resolve(open()) };
}

async function portsOf(host: Host, storage: MemoryStorage, clock: MovableClock): Promise<ClientPorts> {
  return { ...host, crypto: await clientCrypto(), storage, clock, log: logLine };
}

function logLine(line: string): void {
  if (process.env['LAB_LOG']) process.stderr.write(`  ${line}\n`);
}

export async function newGuest(t: Teardown, host: Host, name: string): Promise<Guest> {
  const [storage, clock] = [new MemoryStorage(), new MovableClock()];
  const core = await registerCore(await portsOf(host, storage, clock), name, secrets);
  const guest: Guest = { name, storage, clock, core };
  t.teardown(() => guest.core.close());
  await core.call('drained', {});
  return guest;
}

export async function leave(guest: Guest): Promise<void> {
  await guest.core.close();
}

/** The same profile once more. @param connect logs in too, and takes in what waits */
export async function comeBack(host: Host, guest: Guest, connect = true): Promise<void> {
  guest.core = await openCore(await portsOf(host, guest.storage, guest.clock), 'default', secrets);
  if (!connect) return;
  await guest.core.connect();
  await guest.core.call('drained', {});
}

export async function befriended(a: Guest, b: Guest): Promise<void> {
  await a.core.call('add', { name: b.name });
  await unread(b.core, (item) => isNotice('request')(item) && item.type === 'notice' && item.name === a.name);
  await b.core.call('accept', { name: a.name });
  await unread(a.core, (item) => isNotice('accepted')(item) && item.type === 'notice' && item.name === b.name);
}

/** The text in the room, once it is there. */
export function heard({ core }: Guest, room: string, text: string): Promise<Item> {
  return unread(core, (item) => item.type === 'message' && item.room === room && item.text === text);
}

/** The notice about the room, once it is there. */
export function told({ core }: Guest, room: string, kind: string, name?: string): Promise<Item> {
  return unread(
    core,
    (item) =>
      item.type === 'notice' && item.room === room && item.kind === kind && (name === undefined || item.name === name),
  );
}

export async function say(guest: Guest, room: string, text: string): Promise<string> {
  return (await guest.core.call('send', { to: `#${room}`, text })).state;
}

export async function memberNames(guest: Guest, room: string): Promise<string[]> {
  const { members } = await guest.core.call('room-members', { room });
  return members.map(({ name, role }) => `${name} ${role}`);
}
