/** Recovery codes of users at a running daemon, written while it stands still. */
import { join } from 'node:path';
import { nodeSync } from '../../src/crypto/index.js';
import { recoveryHash, withSecurity } from '../../src/server/factors.js';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { SecondFactor } from '../../src/store/store.js';
import { startDaemon, type Daemon } from './daemon.js';
import type { RawUser } from './raw.js';
import type { Teardown } from './temp.js';

const lavish = ['failures-per-quarter', 'lookups-per-minute'].flatMap((name) => ['--limit', `${name}=100000`]);

/** Started once more, on the same data. */
export function again(t: Teardown, { data, network: of }: Daemon): Promise<Daemon> {
  return startDaemon(t, { network: of, data, args: lavish });
}

/** What the network of this daemon keeps. */
export function folderOf({ data, network }: Daemon): string {
  return join(data, network.name);
}

/** A second factor and recovery codes, set while the daemon stands still. */
export async function withCodes(
  t: Teardown,
  daemon: Daemon,
  user: RawUser,
  many: number,
  factor: SecondFactor = SecondFactor.mail,
): Promise<{ daemon: Daemon; codes: Uint8Array[] }> {
  await daemon.stop();
  const store = await openJournalStore(folderOf(daemon), { now: Date.now });
  const codes = Array.from({ length: many }, () => nodeSync.random(10));
  const recovery = codes.map((code) => recoveryHash({ sync: nodeSync }, user.uid, code));
  await store.changeAccount(user.uid, (account) => withSecurity(account, { factor, recovery }));
  await store.close();
  return { daemon: await again(t, daemon), codes };
}
