/** Case 19 with a real disk that is full: a small tmpfs, which root alone may mount. */
import { spawnSync } from 'node:child_process';
import { mkdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { Code, structs } from '../../protocol/index.js';
import { makeNetwork } from '../support/daemon.js';
import { acknowledge, letter, numberOf } from '../support/letters.js';
import { enter, newPerson, startLavish, type Person } from '../support/people.js';
import { befriend, type Received } from '../support/raw.js';
import { temporaryFolder } from '../support/temp.js';

const SIZE = 16 * 2 ** 20;
/** What stands on the disk besides, and goes when room is needed. */
const BALLAST = SIZE / 3;
const AT_ONCE = 32;
/** Room that is there again is used after this at the latest, in ms. */
const RECOVERY_MS = 10_000;

/** @returns why it could not be mounted */
function mountSmall(t: Test, folder: string): string | undefined {
  const options = `size=${String(SIZE)},mode=0700`;
  const { status, stderr, error } = spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], {
    encoding: 'utf8',
  });
  if (status !== 0) return error?.message ?? stderr.trim();
  t.teardown(() => spawnSync('/bin/umount', ['--lazy', folder]));
  return undefined;
}

const send = async (from: Person, to: Person, number: number): Promise<number> =>
  (await from.raw.ask(structs.smpu, { envelope: letter(from.user, to.user, number) })).header.code;

const message = (person: Person): Promise<Received> => person.raw.next(({ opcode }) => opcode === structs.rvum.opcode);

test('case 19: a full disk: 507, reads go on, and with room again all goes on', async (t) => {
  const disk = join(await temporaryFolder(t), 'disk');
  await mkdir(disk);
  const why = mountSmall(t, disk);
  if (why !== undefined) {
    /* In a container root may lack the right; the store's own tests fill a disk that is simulated. */
    t.equal(process.getuid?.(), 0, 'a tmpfs is mounted by root alone');
    t.comment(`no full disk here, a tmpfs can't be mounted: ${why}`);
    return;
  }
  await writeFile(join(disk, 'ballast'), Buffer.alloc(BALLAST));
  const network = await makeNetwork();
  const args = ['--limit', 'queue-entries=1000000'];
  const daemon = await startLavish(t, { network, data: join(disk, 'data'), args });
  const people: Person[] = [];
  for (const name of ['alice', 'bobby', 'carol', 'dave']) people.push(await newPerson(t, daemon, name));
  const [alice, bobby, carol, dave] = people as [Person, Person, Person, Person];
  await befriend(alice.raw, alice.user, bobby.raw, bobby.user);
  await befriend(alice.raw, alice.user, carol.raw, carol.user);
  await befriend(alice.raw, alice.user, dave.raw, dave.user);

  /* Dave does not look for now: what waits for him has to be readable when nothing can be written. */
  dave.raw.connection.pause();
  const forDave = Array.from({ length: 50 }, (_, at) => at);
  t.same(new Set(await Promise.all(forDave.map((number) => send(alice, dave, number)))), new Set([Code.queued]));

  bobby.raw.close();
  const queued: number[] = [];
  const refused: number[] = [];
  let number = 0;
  const fill = async (): Promise<void> => {
    while (refused.length < 4 * AT_ONCE) {
      const own = number++;
      const code = await send(alice, bobby, own);
      if (code === Code.queued) queued.push(own);
      else if (code === Code.storage) refused.push(own);
      else throw new Error(`answered ${String(code)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, fill));
  t.ok(queued.length > 1_000, `${String(queued.length)} were queued, then came 507`);

  const online = send(alice, carol, 1);
  acknowledge(carol.raw, (await message(carol)).frameId);
  t.equal(await online, Code.done, 'between two who are there nothing needs the disk');
  t.equal((await alice.raw.ask(structs.keyq, { name: 'bobby' })).header.code, Code.done, 'look-ups go on');
  dave.raw.connection.resume();
  const seen: number[] = [];
  while (seen.length < forDave.length) seen.push(numberOf(await message(dave)));
  t.same(seen, forDave, 'what waits is read');

  await unlink(join(disk, 'ballast'));
  const freed = performance.now();
  let code: number = Code.storage;
  while (code !== Code.queued && performance.now() - freed < RECOVERY_MS) {
    code = await send(alice, bobby, number);
    if (code !== Code.queued) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.equal(code, Code.queued, `goes on by itself, ${(performance.now() - freed).toFixed(0)} ms after there is room`);
  queued.push(number);
  carol.raw.close();
  t.ok(await enter(t, daemon, carol.user), 'logins, too');

  await daemon.kill();
  const again = await startLavish(t, { network, data: daemon.data, args });
  const back = await enter(t, again, bobby.user, false);
  const came: number[] = [];
  while (came.length < back.cnnt.queued) {
    const received = await message(back);
    came.push(numberOf(received));
    acknowledge(back.raw, received.frameId);
  }
  const all = new Set(came);
  t.same(
    queued.filter((one) => !all.has(one)),
    [],
    'nothing that was acknowledged is lost',
  );
  t.equal(all.size, came.length, 'nothing came twice');
  t.equal(await again.stop(), 0);
});
