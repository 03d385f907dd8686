/** Clients in this process whose accounts have recovery codes, at the daemon's own server in this process. */
import { hex, typedCode } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { recoverCore, type ClientPorts } from '../../src/client/index.js';
import { recoveryHash, withSecurity } from '../../src/server/factors.js';
import type { SecondFactor } from '../../src/store/store.js';
import { startFuzzed, type FuzzedDaemon } from '../fuzz/daemon-server.js';
import { isNotice, isText, secrets, unread } from '../unit/client-parties.js';
import { clientCrypto, MemoryStorage, MovableClock } from '../unit/client-support.js';
import { atServer, befriended, newGuest, type Guest, type Host } from './room-lab.js';
import type { Teardown } from './temp.js';

export interface RecoveryLab {
  readonly daemon: FuzzedDaemon;
  readonly host: Host;
}

export async function openRecoveryLab(t: Teardown): Promise<RecoveryLab> {
  const daemon = await startFuzzed(t);
  return { daemon, host: atServer(daemon) };
}

/** Another recovery code of this user, as it is typed. */
export async function giveCode({ daemon }: RecoveryLab, name: string, factor: SecondFactor = 0): Promise<string> {
  const { store } = daemon;
  const account = await store.accountByName(name);
  if (!account) throw new Error(`nobody is called ${name}`);
  const code = nodeSync.random(10);
  const hash = recoveryHash({ sync: nodeSync }, account.uid, code);
  await store.changeAccount(account.uid, (now) =>
    withSecurity(now, { factor, recovery: [...now.security.recovery, hash] }),
  );
  return typedCode(code);
}

export async function portsAt(host: Host, storage: MemoryStorage, clock: MovableClock): Promise<ClientPorts> {
  return { ...host, crypto: await clientCrypto(), storage, clock, log: () => undefined };
}

/** The same person on an empty disk. */
export async function recovered(
  t: Teardown,
  { host }: RecoveryLab,
  name: string,
  code: string,
  words = 'other new words',
  storage = new MemoryStorage(),
): Promise<Guest> {
  const clock = new MovableClock();
  const core = await recoverCore(await portsAt(host, storage, clock), name, code, { ...secrets, words });
  t.teardown(() => core.close());
  await core.call('drained', {});
  return { name, storage, clock, core };
}

/** Two who talk with each other. */
export async function talking(t: Teardown): Promise<{ lab: RecoveryLab; alice: Guest; bob: Guest }> {
  const lab = await openRecoveryLab(t);
  const [alice, bob] = [await newGuest(t, lab.host, 'alice'), await newGuest(t, lab.host, 'bobby')];
  await befriended(alice, bob);
  return { lab, alice, bob };
}

interface Equal {
  equal(found: unknown, wanted: unknown): boolean;
}

export const renew = ({ core }: Guest) => core.call('renew-keys', secrets);
export const fingerprintOf = async ({ core }: Guest) => (await core.call('status', {})).fingerprint;
export const contact = async ({ core }: Guest, name: string) =>
  (await core.call('contacts', { check: false })).contacts.find((one) => one.name === name);
export const notices = async ({ core }: Guest, kind: string) =>
  (await core.call('unread', {})).items.filter(isNotice(kind)).length;

export async function compared({ core }: Guest, name: string): Promise<void> {
  await core.call('verify', { name });
  await core.call('confirm', { name });
}

/** Each reads what the other says, and misses nothing. */
export async function goesOn(a: Guest, b: Guest): Promise<void> {
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    const text = `from ${from.name} ${hex(nodeSync.random(4))}`;
    await from.core.call('send', { to: to.name, text });
    await unread(to.core, isText(text));
  }
}

export async function numbersAgree(t: Equal, a: Guest, b: Guest): Promise<void> {
  const [one, other] = [await a.core.call('verify', { name: b.name }), await b.core.call('verify', { name: a.name })];
  t.equal(one.number, other.number);
}
