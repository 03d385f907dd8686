/** What the daemon's parts share. Concrete stores, providers and transports are named in `daemon.ts` alone. */
import type { PasswordServer, RsaPrivate, ServerKeys, SyncCrypto } from '../../protocol/index.js';
import type { QueueEntry, Store } from '../store/store.js';
import type { AtRest } from './at-rest.js';
import type { Audit } from './audit.js';
import type { BackOff } from './back-off.js';
import type { Budgets } from './budgets.js';
import type { ServedClients } from './clients.js';
import type { Counts } from './counts.js';
import type { KnownKeys } from './known-keys.js';
import type { Invitations } from './invitations.js';
import type { Limits } from './limits.js';
import type { Log } from './log.js';
import type { Logins } from './logins.js';
import type { MailCodes } from './mail-codes.js';
import type { Settle } from './mailbox.js';
import type { Mailer } from './mailer.js';
import type { PerKey } from './per-key.js';
import type { Presence } from './presence.js';
import type { Rates } from './rates.js';
import type { Refusals } from './refusals.js';
import type { Rooms } from './rooms.js';
import type { Routes } from './routes.js';
import type { Work } from './work.js';

/** Who may register: everybody, who has a code of an invitation, nobody. */
export const whoMayRegister = ['open', 'invitation', 'closed'] as const;
export type WhoMayRegister = (typeof whoMayRegister)[number];

export interface Context {
  /** its name */
  readonly network: string;
  readonly registration: WhoMayRegister;
  readonly invitations: Invitations;
  /** undefined: the network sends no mail */
  readonly mailer: Mailer | undefined;
  readonly store: Store;
  readonly sync: SyncCrypto;
  readonly work: Work;
  /** The last step of OPAQUE is two hashes: it is done where its answer is awaited. */
  readonly passwords: Pick<PasswordServer, 'loginFinish'>;
  /** The network's generations, the current first. */
  readonly generations: readonly ServerKeys<RsaPrivate>[];
  readonly decoySecret: Uint8Array;
  readonly atRest: AtRest;
  readonly mailCodes: MailCodes;
  readonly knownKeys: KnownKeys;
  readonly clients: ServedClients;
  readonly limits: Limits;
  readonly budgets: Budgets;
  readonly presence: Presence;
  readonly routes: Routes;
  readonly rooms: Rooms;
  readonly rates: Rates;
  /** By source: what was not proven; `attempts.ts` is the way to it. */
  readonly failures: PerKey<BackOff>;
  /** By account: wrong codes of its second factor. */
  readonly codeFailures: PerKey<BackOff>;
  /** By room: wrong passwords. */
  readonly roomFailures: PerKey<BackOff>;
  readonly audit: Audit;
  readonly logins: Logins;
  readonly refusals: Refusals;
  readonly counts: Counts;
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
