/** Users of a running daemon, made and logged in by the raw client. */
import { setTimeout as delay } from 'node:timers/promises';
import { Code, HELLO_WINDOW_MS, structs, type Values } from '../../protocol/index.js';
import { startDaemon, type Daemon, type DaemonOptions } from './daemon.js';
import { lavishArgs } from './lavish.js';
import { logIn, makeUser, RawConnection, registerUser, type RawUser } from './raw.js';
import type { Teardown } from './temp.js';

/** A daemon as its clients see it. */
export type Served = Pick<Daemon, 'host' | 'port' | 'tls' | 'network'>;

/** A daemon whose limits don't stand in the way of what a test repeats. */
export function startLavish(t: Teardown, options: DaemonOptions): Promise<Daemon> {
  return startDaemon(t, { ...options, args: [...lavishArgs, ...(options.args ?? [])] });
}

export async function connected(t: Teardown, daemon: Served): Promise<RawConnection> {
  const raw = await RawConnection.connect(daemon, daemon.network.linked.pins);
  t.teardown(() => {
    raw.close();
  });
  if (!(await raw.handshake(daemon.network.linked))?.session) throw new Error('no session');
  return raw;
}

export interface Person {
  readonly user: RawUser;
  readonly raw: RawConnection;
  readonly cnnt: Values<typeof structs.cnnt>;
}

/** A new connection on which the user is logged in; past the drained event, if asked. */
export async function enter(t: Teardown, daemon: Served, user: RawUser, drained = true): Promise<Person> {
  const raw = await connected(t, daemon);
  const { header } = await logIn(raw, user);
  if (header.code !== Code.done) throw new Error(`login: ${String(header.code)}`);
  const cnnt = await raw.event(structs.cnnt);
  if (drained) await raw.event(structs.drnd);
  return { user, raw, cnnt: cnnt.values };
}

export async function newPerson(t: Teardown, daemon: Served, name: string): Promise<Person> {
  const user = await makeUser(name);
  const raw = await connected(t, daemon);
  const { header } = await registerUser(raw, user);
  if (header.code !== Code.done) throw new Error(`crea: ${String(header.code)}`);
  raw.close();
  return enter(t, daemon, user);
}

/** Logs in at a daemon that lost its record of HELLOs, by a clock that is ahead. */
export async function enterLater(t: Teardown, daemon: Daemon, user: RawUser): Promise<RawConnection> {
  const ahead = HELLO_WINDOW_MS - 500;
  await delay(600);
  const raw = await RawConnection.connect(daemon, daemon.network.linked.pins);
  t.teardown(() => {
    raw.close();
  });
  await raw.handshake(daemon.network.linked, { now: Date.now() + ahead });
  const { header } = await logIn(raw, user);
  if (header.code !== Code.done) throw new Error(`login: ${String(header.code)}`);
  return raw;
}
