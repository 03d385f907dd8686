/** What an account's new keys bring with them, whoever asked for them: contacts are told, nothing old goes on (SPEC 6.12, 6.13). */
import {
  bundleBytes,
  bundleMessage,
  Code,
  encodeFields,
  ID,
  Label,
  Opcode,
  structs,
  SUITE_RSA,
  samePublic,
  type KeyBundle,
  type KeyChange,
} from '../../protocol/index.js';
import { isDamage, StorageError, type Account } from '../store/store.js';
import type { Context } from './context.js';
import { withSecurity } from './factors.js';
import { idKey } from './keys.js';
import type { Keys } from './known-keys.js';
import { TOLD_AT_ONCE } from './limits.js';
import type { Reply } from './reply.js';

/**
 * Takes one of the changes that an account has in a day; true, and answered, where none is left. Each goes to everybody
 * who was ever asked: without end, two strangers would fill the queue of somebody who never answered them.
 */
export async function overKeyChanges({ budgets }: Context, { uid }: Account, reply: Reply): Promise<boolean> {
  const wait = await budgets.take('keyChanges', idKey(uid));
  if (wait > 0) reply.fail(Code.limited, wait);
  return wait > 0;
}

/**
 * Others take the place of the account's keys among those that the network knows, where `exchange` says that they do.
 * @param keys that were looked at before; undefined is resolved with where somebody else has them by now
 */
export async function exchangeKeys(
  { knownKeys }: Context,
  before: Account,
  keys: Keys,
  exchange: () => Promise<Account | undefined>,
): Promise<Account | undefined> {
  if (await knownKeys.claim(keys)) return undefined;
  let changed: Account | undefined;
  try {
    changed = await exchange();
  } finally {
    await knownKeys.release(changed ? before : keys);
  }
  return changed;
}

/** The new keys signed their bundle. */
export async function isSignedByItself({ work }: Context, bundle: KeyBundle): Promise<boolean> {
  const { sig, suite, signature } = bundle;
  return suite === SUITE_RSA && work.verify(Label.change, sig, bundleMessage(bundle), signature);
}

/** The keys before signed it too. @param sig theirs */
export function isSignedBefore({ work }: Context, change: KeyChange, sig: Uint8Array): Promise<boolean> {
  return work.verify(Label.former, sig, bundleBytes(change), change.former);
}

/** The account is as it was when somebody proved something about it. */
export function isSame(now: Account | undefined, then: Account): now is Account {
  return (
    now !== undefined &&
    samePublic(now.enc, then.enc) &&
    samePublic(now.sig, then.sig) &&
    samePublic(now.record, then.record) &&
    samePublic(now.words, then.words)
  );
}

/**
 * Tells everybody towards whom the user's word is open, but those who blocked them. Before the keys are in force: were it
 * behind, nobody would be told after a crash in between. Somebody whose queue is full is not told.
 * @throws StorageError where the store failed
 */
export async function tellContacts(context: Context, { uid }: Account, change: KeyChange): Promise<void> {
  const { store, sync, nextId, now } = context;
  const fields = encodeFields(structs.chky, change);
  /* The same keys again, after a crash, wait once. */
  const key = sync.sha256(fields).subarray(0, ID);
  await inSlices(await store.openTowards(uid), async (to) => {
    if (!(await isReachable(context, to, uid))) return;
    const entry = { id: nextId(), opcode: Opcode.chky, from: uid, key, time: now(), fields };
    const code = await new Promise<Code>((resolve) => {
      context.deliver(to, entry, resolve);
    });
    if (code === Code.storage) throw new StorageError('contacts could not be told', false);
  });
}

/** False for who blocked the user, and for whom the store can't read: a damaged file concerns its user alone. */
async function isReachable({ store, refusals }: Context, to: Uint8Array, uid: Uint8Array): Promise<boolean> {
  try {
    await store.queueLength(to);
    return (await store.consent(to, uid)) !== 'blocked';
  } catch (error) {
    if (!isDamage(error)) throw error;
    refusals.trouble('somebody was not told of the new keys of a contact', error);
    return false;
  }
}

/** So many at a time, so that somebody with many contacts is in nobody's way. */
async function inSlices(uids: readonly Uint8Array[], work: (uid: Uint8Array) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < uids.length; at += TOLD_AT_ONCE) await Promise.all(uids.slice(at, at + TOLD_AT_ONCE).map(work));
}

/** Their word about everybody is declined until they say another: what others send would be sealed for keys that are lost. */
async function closeConversations({ store, routes }: Context, uid: Uint8Array): Promise<void> {
  await inSlices(await store.openTowards(uid), (towards) => routes.setConsent(uid, towards, 'declined'));
}

/** What somebody reads who knows nothing of before. */
const lasting: ReadonlySet<number> = new Set([Opcode.rjmp, Opcode.chky]);
const PAGE = 64;

/**
 * What waits for the user and is of no use without the keys before goes. It was not delivered, and nobody is told that it
 * was: who sent it learns from `chky` to send it again.
 */
async function dropUnreadable({ store }: Context, uid: Uint8Array): Promise<void> {
  const gone: Uint8Array[] = [];
  for (let after: Uint8Array | undefined; ;) {
    const page = await store.queued(uid, after, PAGE);
    gone.push(...page.filter(({ opcode }) => !lasting.has(opcode)).map(({ id }) => id));
    after = page.at(-1)?.id;
    if (!after) break;
  }
  for (let at = 0; at < gone.length; at += PAGE) await store.acknowledge(uid, gone.slice(at, at + PAGE));
}

/**
 * What went by keys that are lost goes. The account says since its keys changed that this is to be done, and says so until
 * all of it is: where the daemon dies or the disk fails meanwhile, the next login does it first (SPEC 6.12).
 * @throws StorageError
 */
export async function settle(context: Context, uid: Uint8Array): Promise<void> {
  const { store } = context;
  await Promise.all([closeConversations(context, uid), dropUnreadable(context, uid), store.clearAttempts(uid)]);
  await store.changeAccount(uid, (now) => withSecurity(now, { unsettled: false }));
}

/** What is to be done once other keys are in force. They are what they are: an error would tell their owner that they are not. */
export async function cleanUp({ refusals }: Context, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (reason) {
    refusals.trouble('what went by former keys was not all removed', reason);
  }
}
