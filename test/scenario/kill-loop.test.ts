/** A real daemon, killed again and again under load: what it said it has, it has, once and in order. */
import { join } from 'node:path';
import { test } from 'tap';
import { makeNetwork } from '../support/daemon.js';
import { Device } from '../support/load/device.js';
import { Guests } from '../support/load/guests.js';
import { Ledger } from '../support/load/ledger.js';
import { Lives } from '../support/load/lives.js';
import { Reader } from '../support/load/reader.js';
import { Writer } from '../support/load/writer.js';
import { newPerson } from '../support/people.js';
import { Draws } from '../support/draws.js';
import { newSeed } from '../support/random.js';
import { befriend } from '../support/raw.js';
import { temporaryFolder } from '../support/temp.js';

const KILLS = Number(process.env['KILLS'] ?? 6);
/** A kill comes after so many answers at most, and so many ms at most after the last of them. */
const ANSWERS = 2_000;
const JITTER_MS = 30;
/** Where nothing is answered, it comes nevertheless. */
const PATIENCE_MS = 3_000;

type Kind = 'away' | 'there' | 'restless';
/** For each reader the windows of those who write to it. */
const readers: readonly { readonly kind: Kind; readonly windows: readonly number[] }[] = [
  { kind: 'away', windows: [32] },
  { kind: 'away', windows: [8, 1] },
  { kind: 'there', windows: [16] },
  { kind: 'there', windows: [4, 4] },
  { kind: 'restless', windows: [16] },
  { kind: 'restless', windows: [8, 2] },
];

const seed = newSeed();

test(`case 18: kill -9 under load, ${String(KILLS)} times, SEED=${String(seed)}`, async (t) => {
  const draws = new Draws(seed);
  const ledger = new Ledger();
  const data = join(await temporaryFolder(t), 'data');
  // A short journal, so that some kills meet a checkpoint.
  const args = ['--limit', 'queue-entries=1000000', '--limit', 'journal-bytes=200000'];
  const lives = await Lives.begin(t, { network: await makeNetwork(), data, args });

  const pairs: Writer[] = [];
  const all: Reader[] = [];
  const first = (await lives.current()).daemon;
  for (const [at, { windows }] of readers.entries()) {
    const to = await newPerson(t, first, `reader${String(at)}`);
    const reader = new Reader(new Device(to.user, lives, ledger));
    all.push(reader);
    for (const [other, window] of windows.entries()) {
      const from = await newPerson(t, first, `writer${String(at)}${String(other)}`);
      await befriend(from.raw, from.user, to.raw, to.user);
      from.raw.close();
      const writer = new Writer(new Device(from.user, lives, ledger), reader, window);
      reader.reads(writer);
      pairs.push(writer);
    }
    to.raw.close();
  }
  const host = all[0];
  if (!host) throw new Error('no readers');
  const guests = new Guests(lives, ledger, host.device.name);

  const reading = all.map((reader, at) => {
    const kind = readers[at]?.kind;
    if (kind === 'away') return Promise.resolve();
    return kind === 'there' ? reader.stay() : reader.comeAndGo(new Draws(draws.below(2 ** 32)));
  });
  const writing = pairs.map((writer) => writer.run());
  const arriving = guests.run();
  const stopped = Promise.all([...reading, ...writing, arriving]);

  for (let kill = 0; kill < KILLS; kill++) {
    /* Some come while the clients are still coming back from the last one. */
    const answers = draws.chance(0.25) ? 0 : draws.below(ANSWERS);
    await Promise.race([ledger.more(answers), pause(PATIENCE_MS), stopped]);
    await pause(draws.below(JITTER_MS));
    await lives.kill();
  }
  await Promise.race([ledger.more(draws.below(ANSWERS)), pause(PATIENCE_MS), stopped]);

  for (const writer of pairs) writer.finish();
  guests.finish();
  await Promise.all(writing);
  /* With the last answer, no later: nothing else has a chance to reach the disk. */
  const killed = lives.kill();
  for (const reader of all) reader.leave();
  await Promise.all([stopped, killed]);

  const drained = await Promise.all(all.map((reader) => reader.drain()));
  for (const writer of pairs)
    t.equal(writer.to.seen(writer), writer.written, `${writer.device.name}: all that was answered came, in order`);
  t.same(drained[0]?.asked.sort(), guests.arrived.map(({ name }) => name).sort(), 'each request came once');

  const letters = new Set(drained.flatMap((one) => one.letters));
  await Promise.all(pairs.map((writer) => writer.confirmed(writer.letters.filter((letter) => letters.has(letter)))));
  await lives.kill();
  const { daemon } = await lives.current();
  const left = await Promise.all(all.map(async ({ device }) => (await device.visit(daemon)).queued));
  t.same(new Set(left), new Set([0]), 'what was acknowledged and reported as delivered waits no more');
  for (const guest of guests.arrived) await guest.visit(daemon);

  t.same(ledger.faults.slice(0, 20), [], `${String(ledger.faults.length)} faults`);
  t.ok(ledger.answered > 0 && guests.arrived.length > 0);
  t.comment(
    `${String(ledger.answered)} answered, ${String(ledger.repeated)} repeated, ${String(ledger.redelivered)} came more than once, ` +
      `${String(letters.size)} waited at the end, ${String(guests.arrived.length)} guests`,
  );
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
