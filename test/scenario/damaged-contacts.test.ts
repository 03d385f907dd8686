/** A damaged file concerns its user alone: others get new keys and come back beside it (SPEC 6.12, 6.13). */
import { readFile, writeFile } from 'node:fs/promises';
import { join as path } from 'node:path';
import { test } from 'tap';
import { Code, hex } from '../../protocol/index.js';
import { openJournalStore } from '../../src/store/journal/journal-store.js';
import { SecondFactor } from '../../src/store/store.js';
import { makeNetwork, type Daemon } from '../support/daemon.js';
import { connected, enter, newPerson, startLavish } from '../support/people.js';
import { befriend, logIn, type RawUser } from '../support/raw.js';
import { beginRecovery, rekeyed, renew } from '../support/raw-keys.js';
import { join, makeRoom, say } from '../support/raw-rooms.js';
import { again, folderOf, withCodes } from '../support/recovery-codes.js';
import type { Teardown } from '../support/temp.js';

const network = await makeNetwork();

/** Another bit in this file of the user's, while the daemon stands still and all is in files. */
async function damaged(t: Teardown, daemon: Daemon, { uid }: RawUser, name: string): Promise<Daemon> {
  await daemon.stop();
  const store = await openJournalStore(folderOf(daemon), { now: Date.now });
  await store.checkpoint();
  await store.close();
  const file = path(folderOf(daemon), 'users', hex(uid), name);
  const bytes = await readFile(file);
  bytes.writeUInt8((bytes[40] ?? 0) ^ 1, 40);
  await writeFile(file, bytes);
  return again(t, daemon);
}

for (const name of ['account.json', 'queue'])
  test(`the ${name} of a contact who is in the same room`, async (t) => {
    const first = await startLavish(t, { network });
    const [alice, bob, carol] = [
      await newPerson(t, first, 'alice'),
      await newPerson(t, first, 'bobby'),
      await newPerson(t, first, 'carol'),
    ];
    await befriend(alice.raw, alice.user, carol.raw, carol.user);
    const room = await makeRoom(bob, 'lounge');
    for (const person of [alice, carol]) t.equal(await join(person, room), Code.done);
    const { daemon: before, codes } = await withCodes(t, first, alice.user, 1, SecondFactor.none);
    const daemon = await damaged(t, before, carol.user, name);
    await say(await enter(t, daemon, bob.user), room, 'hello'); // the room is in use, whoever can get it
    const me = await enter(t, daemon, alice.user);
    const renewed = await rekeyed(alice.user, alice.user.w);
    t.equal((await renew(me.raw, alice.user, renewed, me.user.proof)).header.code, Code.done);
    const recovered = await rekeyed(renewed);
    const begun = await beginRecovery(await connected(t, daemon), recovered, codes[0] ?? new Uint8Array(0));
    t.equal((await begun.finish?.())?.header.code, Code.done);
    t.equal((await logIn(await connected(t, daemon), recovered)).header.code, Code.done);
    t.match(daemon.log(), /somebody was not told of the new keys of a contact.*damaged/, 'the operator learns it');
  });
