/** What the daemon's parts share. Concrete stores, providers and transports are named in `daemon.ts` alone. */
import type { PasswordServer, RsaPrivate, ServerKeys, SyncCrypto } from '../../protocol/index.js';
import type { QueueEntry, Store } from '../store/store.js';
import type { Budgets } from './budgets.js';
import type { ServedClients } from './clients.js';
import type { Limits } from './limits.js';
import type { Log } from './log.js';
import type { Logins } from './logins.js';
import type { Settle } from './mailbox.js';
import type { Presence } from './presence.js';
import type { Refusals } from './refusals.js';
import type { Rooms } from './rooms.js';
import type { Routes } from './routes.js';
import type { TokenBuckets } from './token-bucket.js';
import type { Work } from './work.js';

export interface Context {
  readonly store: Store;
  readonly sync: SyncCrypto;
  readonly work: Work;
  /** The last step of OPAQUE is two hashes: it is done where its answer is awaited. */
  readonly passwords: Pick<PasswordServer, 'loginFinish'>;
  /** The network's generations, the current first. */
  readonly generations: readonly ServerKeys<RsaPrivate>[];
  readonly decoySecret: Uint8Array;
  readonly clients: ServedClients;
  readonly limits: Limits;
  readonly budgets: Budgets;
  readonly presence: Presence;
  readonly routes: Routes;
  readonly rooms: Rooms;
  /** How fast each user may speak in rooms. */
  readonly roomRates: TokenBuckets;
  readonly logins: Logins;
  readonly refusals: Refusals;
  readonly log: Log;
  readonly now: () => number;
  /** 16 bytes, never the same twice: the frame id of an event. */
  readonly nextId: () => Uint8Array;
  readonly deliver: Deliver;
}

/**
 * Hands an event to a user, wherever they are.
 * @param key idKey(to), where it is known already
 */
export type Deliver = (to: Uint8Array, entry: QueueEntry, settle: Settle, key?: string) => void;
