/** The daemon dies between the new keys of a recovery and what they bring with them (SPEC 6.12). */
import { readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { Code, samePublic, structs } from '../../protocol/index.js';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { FILE_HEADER, readHeader, scanRecords } from '../../src/store/journal/record-format.js';
import { readAccount } from '../../src/store/journal/records.js';
import type { Store } from '../../src/store/store.js';
import { makeNetwork, type Daemon } from '../support/daemon.js';
import { letter } from '../support/letters.js';
import { connected, enter, newPerson, startLavish } from '../support/people.js';
import { befriend, logIn, type RawUser } from '../support/raw.js';
import { beginRecovery, rekeyed } from '../support/raw-keys.js';
import { codeOf } from '../support/raw-rooms.js';
import { again, folderOf, withCodes } from '../support/recovery-codes.js';

const network = await makeNetwork();

/** As if the power had gone right behind the first record with these keys. False where there is none. */
async function cutBehind(daemon: Daemon, { enc }: RawUser): Promise<boolean> {
  const folder = join(folderOf(daemon), 'journal');
  const last = (await readdir(folder)).sort().at(-1) ?? '';
  const bytes = await readFile(join(folder, last));
  const header = readHeader(bytes);
  if (!header) throw new Error(`${last} is no journal`);
  let end: number | undefined;
  scanRecords(bytes, FILE_HEADER, header.salt, header.first, (payload, _seq, at) => {
    if (samePublic(readAccount(payload)?.enc ?? payload, enc.modulus)) end ??= at + payload.length;
  });
  if (end === undefined || end === bytes.length) return false;
  await truncate(join(folder, last), end);
  return true;
}

/** What is kept, while the daemon stands still. */
async function keptOf(daemon: Daemon, of: RawUser, towards: RawUser) {
  const store: Store = await openJournalStore(folderOf(daemon), { now: Date.now });
  const account = await store.accountByUid(of.uid);
  const consent = await store.consent(of.uid, towards.uid);
  const attempts = await store.attempts(of.uid);
  const queued = await store.queueLength(of.uid);
  await store.close();
  return { unsettled: account?.security.unsettled, consent, queued, counted: attempts.count > 0 };
}

test('killed between the new keys and the end of what went by the former: it ends before the next login', async (t) => {
  const first = await startLavish(t, { network });
  const [alice, bob] = [await newPerson(t, first, 'alice'), await newPerson(t, first, 'bobby')];
  await befriend(alice.raw, alice.user, bob.raw, bob.user);
  const prepared = await withCodes(t, first, alice.user, 1);
  let { daemon } = prepared;
  const [code = new Uint8Array(0)] = prepared.codes;
  const there = await enter(t, daemon, bob.user, false);
  const envelope = letter(bob.user, alice.user, 1);
  t.equal(await codeOf(there.raw, structs.smpu, { envelope }), Code.queued, 'sealed for keys that are lost');
  const next = await rekeyed(alice.user);
  const raw = await connected(t, daemon);
  const begun = await beginRecovery(raw, next, code);
  t.equal((await begun.finish?.())?.header.code, Code.done);
  await daemon.kill();
  t.ok(await cutBehind(daemon, next));
  t.same(
    await keptOf(daemon, next, bob.user),
    { unsettled: true, consent: 'open', queued: 1, counted: true },
    'as a crash left it',
  );

  daemon = await again(t, daemon);
  const refused = await connected(t, daemon);
  t.equal((await logIn(refused, alice.user)).header.code, Code.authentication, 'the former keys');
  const early = await enter(t, daemon, bob.user, false);
  t.equal(
    await codeOf(early.raw, structs.smpu, { envelope: letter(bob.user, next, 1) }),
    Code.forbidden,
    'closed by then',
  );
  early.raw.close();
  const me = await enter(t, daemon, next, false);
  t.equal(me.cnnt.queued, 0, 'nothing waits that can’t be read');
  t.ok(await me.raw.event(structs.drnd), 'nor is anything pushed');
  const from = await enter(t, daemon, bob.user, false);
  t.equal(await codeOf(from.raw, structs.smpu, { envelope: letter(bob.user, alice.user, 2) }), Code.forbidden);
  await daemon.stop();
  const settled = { unsettled: false, consent: 'declined', queued: 0, counted: false };
  t.same(await keptOf(daemon, next, bob.user), settled);
});
