/** Client cores in the test's process, at a real daemon: what the command line does, without its processes. */
import { openCore, registerCore, type ClientCore, type ClientPorts } from '../../src/client/index.js';
import { connectTcp } from '../../src/transport/tcp.js';
import { clientCrypto, MemoryStorage, MovableClock } from '../unit/client-support.js';
import type { Daemon } from './daemon.js';
import type { Teardown } from './temp.js';

export const secrets = { password: 'correct horse', words: 'river stone lamp' };

export interface CoreParty {
  readonly storage: MemoryStorage;
  readonly clock: MovableClock;
  core: ClientCore;
}

export async function portsOf(daemon: Daemon, storage: MemoryStorage, clock: MovableClock): Promise<ClientPorts> {
  const { host, port, network } = daemon;
  const server = { host, port };
  const crypto = await clientCrypto();
  return { linked: network.linked, server, connect: connectTcp, crypto, storage, clock, log: () => undefined };
}

export async function registered(t: Teardown, daemon: Daemon, name: string): Promise<CoreParty> {
  const [storage, clock] = [new MemoryStorage(), new MovableClock()];
  const core = await registerCore(await portsOf(daemon, storage, clock), name, secrets);
  t.teardown(() => core.close());
  return { storage, clock, core };
}

/** The same profile once more; not connected yet. */
export async function reopened(
  t: Teardown,
  daemon: Daemon,
  { storage, clock }: Pick<CoreParty, 'storage' | 'clock'>,
  typed = secrets,
): Promise<CoreParty> {
  const core = await openCore(await portsOf(daemon, storage, clock), 'default', typed);
  t.teardown(() => core.close());
  return { storage, clock, core };
}
