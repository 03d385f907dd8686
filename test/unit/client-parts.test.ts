/** Long messages as they come in: parts lost, doubled, reordered, contradictory, over restarts and crashes (SPEC 7.4). */
import { test, type Test } from 'tap';
import { ENVELOPE_TEXT, PARTS_MAX, TEXT_MAX, utf8 } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { UNFINISHED_MAX } from '../../src/client/state.js';
import { LINE_MAX } from '../../src/client-node/profile-server.js';
import { Seeded } from '../vectors/seeded.js';
import { Reader, Writer } from './reader.js';

const seed = process.env['SEED'] ?? String(Date.now());
const rounds = Number(process.env['ROUNDS'] ?? 40);

async function talking(t: Test): Promise<{ alice: Writer; bob: Reader }> {
  const alice = new Writer('alice', 9);
  const bob = await Reader.of(alice);
  t.teardown(() => {
    bob.close();
  });
  return { alice, bob };
}

const texts = (items: Awaited<ReturnType<Reader['items']>>): string[] =>
  items.flatMap((item) => (item.type === 'message' ? [item.text] : []));

/** Characters of one to four bytes, so that cuts go through them. */
function someText(seeded: Seeded, bytes: number): string {
  let text = '';
  for (let left = bytes; left > 0;) {
    const one = seeded.pick(['a', 'ž', '漢', '🔒', '\n', '\u0000'].filter((letter) => utf8(letter).length <= left));
    text += one;
    left -= utf8(one).length;
  }
  return text;
}

function shuffled<T>(seeded: Seeded, rows: readonly T[]): T[] {
  const out = [...rows];
  for (let i = out.length - 1; i > 0; i--) {
    const j = seeded.below(i + 1);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/** Twice over, and each in another order within some places of its own: what a daemon may do that means harm. */
function mangled(seeded: Seeded, rows: readonly Uint8Array[]): Uint8Array[] {
  const doubled = rows.flatMap((row) => (seeded.below(4) === 0 ? [row, row] : [row]));
  const out: Uint8Array[] = [];
  for (let at = 0; at < doubled.length;) {
    const length = 1 + seeded.below(40);
    out.push(...shuffled(seeded, doubled.slice(at, at + length)));
    at += length;
  }
  return out;
}

test(`whatever comes twice, late or never: whole messages once, in order (SEED=${seed})`, async (t) => {
  for (let round = 0; round < rounds; round++) {
    const seeded = new Seeded(`parts ${seed} ${String(round)}`);
    const { alice, bob } = await talking(t);
    const written: { text: string; envelopes: Uint8Array[] }[] = [];
    for (let i = 0; i < 1 + seeded.below(6); i++) {
      const text = `${String(i)} ${someText(seeded, 1 + seeded.below(seeded.below(3) === 0 ? TEXT_MAX - 3 : 3000))}`;
      written.push({ text, envelopes: await alice.write(text) });
    }
    const all = written.flatMap(({ envelopes }) => envelopes);
    const lost = new Set(all.filter(() => seeded.below(30) === 0));
    for (const envelope of mangled(
      seeded,
      all.filter((one) => !lost.has(one)),
    )) {
      await bob.take(envelope);
      if (seeded.below(60) === 0) await bob.restart(bob.storage.copy());
    }
    const whole = written.filter(({ envelopes }) => !envelopes.some((one) => lost.has(one)));
    t.same(
      texts(await bob.items()),
      whole.map(({ text }) => text),
      `round ${String(round)}: what is whole, in order`,
    );
    t.equal(bob.state.unfinished.size, written.filter(({ envelopes: all }) => isPartly(all, lost)).length);
    await bob.take(...mangled(seeded, all));
    await bob.restart(bob.storage.copy());
    t.same(
      bob.history('alice').texts,
      written.map(({ text }) => text),
      'all of them, when the rest came',
    );
    t.equal(bob.state.unfinished.size, 0);
    t.notOk(bob.notices().some((notice) => notice.startsWith('unreadable')));
  }
});

function isPartly(envelopes: readonly Uint8Array[], lost: ReadonlySet<Uint8Array>): boolean {
  const gone = envelopes.filter((one) => lost.has(one)).length;
  return gone > 0 && gone < envelopes.length;
}

test('a power cut at any moment: every acknowledged part is there, and the message is shown once', async (t) => {
  const { alice, bob } = await talking(t);
  const text = 'ž'.repeat(2 * ENVELOPE_TEXT);
  const envelopes = await alice.write(text);
  const before = bob.storage.copy();
  for (let taken = 0; taken <= envelopes.length; taken++) {
    await bob.restart(before.copy());
    await bob.take(...envelopes.slice(0, taken));
    const then = bob.storage;
    const log = then.stateLog;
    const full = then.files.get(log) ?? new Uint8Array(0);
    for (const torn of [0, 1, 1000]) {
      const disk = then.copy();
      disk.files.set(log, full.slice(0, Math.max(before.files.get(log)?.length ?? 0, full.length - torn)));
      await bob.restart(disk);
      await bob.take(...envelopes.slice(Math.max(0, torn === 0 ? taken : taken - 1)));
      t.same(texts(await bob.items()), [text], `${String(taken)} parts, ${String(torn)} bytes torn`);
    }
  }
});

test('a lost part: a gap and an incomplete message, told once; gone again when it comes', async (t) => {
  const { alice, bob } = await talking(t);
  const envelopes = await alice.write('x'.repeat(4 * ENVELOPE_TEXT));
  await bob.take(...envelopes.filter((_, part) => part !== 2));
  t.same(bob.notices(), [], 'it may still be on its way');
  await bob.later(5_000);
  t.same(bob.notices(), ['gap alice 3', 'incomplete alice 3/4']);
  await bob.later(60_000);
  await bob.restart();
  await bob.later(5_000);
  t.same(bob.notices().length, 2, 'once, also over a restart');
  t.same(texts(await bob.items()), []);
  await bob.take(envelopes[2] as Uint8Array);
  t.same(texts(await bob.items()), ['x'.repeat(4 * ENVELOPE_TEXT)]);
});

test('a notice that nobody read yet goes when the message is whole', async (t) => {
  const { alice, bob } = await talking(t);
  const [first, last] = (await alice.write('x'.repeat(ENVELOPE_TEXT + 1))) as [Uint8Array, Uint8Array];
  await bob.take(first);
  await bob.later(5_000);
  t.same(bob.notices(), ['incomplete alice 1/2'], 'the end is lost: no later number shows it');
  await bob.take(last);
  t.same(bob.notices(), []);
});

test('part 63 of 64 alone', async (t) => {
  const { alice, bob } = await talking(t);
  await bob.take(await alice.seal(utf8('end'), { sequence: 64, part: 63, parts: PARTS_MAX }));
  await bob.later(5_000);
  t.same(bob.notices(), ['gap alice 1-63', 'incomplete alice 1/64']);
  t.same(texts(await bob.items()), []);
});

test('parts that contradict what came before are refused and shown, each once', async (t) => {
  const { alice, bob } = await talking(t);
  const message = nodeSync.random(16);
  const full = (letter: string): Uint8Array => utf8(letter.repeat(ENVELOPE_TEXT));
  await bob.take(await alice.seal(full('a'), { message, sequence: 1, part: 0, parts: 3 }));
  const refused = [
    await alice.seal(full('b'), { message, sequence: 1, part: 0, parts: 3 }), // the same part, other contents
    await alice.seal(full('a'), { message, sequence: 2, part: 1, parts: 4 }), // another number of parts
    await alice.seal(full('a'), { message, sequence: 9, part: 1, parts: 3 }), // not in its place
    await alice.seal(utf8('a'), { message, sequence: 1, part: 0, parts: 1 }), // a message of one part
  ];
  await bob.take(...refused, ...refused);
  t.same(bob.notices(), Array(4).fill('unreadable alice parts'));
  await bob.take(await alice.seal(full('c'), { message, sequence: 2, part: 1, parts: 3 }));
  await bob.take(await alice.seal(utf8('d'), { message, sequence: 3, part: 2, parts: 3 }));
  t.same(texts(await bob.items()), [`${'a'.repeat(ENVELOPE_TEXT)}${'c'.repeat(ENVELOPE_TEXT)}d`]);
  await bob.take(await alice.seal(utf8('e'), { message, sequence: 4, part: 3, parts: 4 }));
  const unreadable = bob.notices().filter((one) => one === 'unreadable alice parts');
  t.equal(unreadable.length, 5, 'nor does a whole message get longer');
  t.equal(bob.state.unfinished.size, 0);
});

test('parts that are no UTF-8 together are not shown', async (t) => {
  const { alice, bob } = await talking(t);
  const cut = new Uint8Array(ENVELOPE_TEXT + 1).fill(0x61);
  cut[ENVELOPE_TEXT - 1] = 0xc5;
  await bob.take(...(await alice.write(cut)));
  t.same(texts(await bob.items()), []);
  t.same(bob.notices(), ['unreadable alice text']);
  t.equal(bob.state.unfinished.size, 0);
});

test('ten thousand first parts: little is kept, others and the chain are not disturbed', async (t) => {
  const [mallory, alice] = [new Writer('mallory', 11), new Writer('alice', 9)];
  const bob = await Reader.of(mallory, alice);
  t.teardown(() => {
    bob.close();
  });
  const early = await alice.write('y'.repeat(3 * ENVELOPE_TEXT));
  await bob.take(...early.slice(0, 2));
  const first = new Uint8Array(ENVELOPE_TEXT).fill(0x61);
  let most = 0;
  let latest: Uint8Array = first;
  for (let i = 0; i < 10_000; i++) {
    latest = await mallory.seal(first, { parts: PARTS_MAX });
    await bob.take(latest);
    most = Math.max(most, bob.logBytes);
  }
  const theirs = [...bob.state.unfinished.values()].filter((row) => row.from === 'mallory');
  t.equal(theirs.length, UNFINISHED_MAX);
  t.ok(bob.state.notices.size <= 1000);
  t.ok(most < 40 * 1024 * 1024, `the log had ${String(most)} bytes at most`);
  t.equal(bob.state.contacts.get('mallory')?.received.sequence, 10_000);
  await bob.take(latest);
  await bob.take(...early);
  t.same(texts(await bob.items()), ['y'.repeat(3 * ENVELOPE_TEXT)], 'what alice had begun is not pushed out');
  await bob.restart();
  t.equal(bob.state.unfinished.size, UNFINISHED_MAX);
});

test('the rest may wait at the daemon while there is no line: told when its queue has come', async (t) => {
  const { alice, bob } = await talking(t);
  const [first, last] = (await alice.write('x'.repeat(ENVELOPE_TEXT + 1))) as [Uint8Array, Uint8Array];
  await bob.take(first);
  bob.offline();
  await bob.later(60_000);
  t.same(bob.notices(), []);
  await bob.restart();
  t.same(bob.notices(), ['incomplete alice 1/2']);
  await bob.take(last);
  t.same(texts(await bob.items()), ['x'.repeat(ENVELOPE_TEXT + 1)]);
});

test('time gives up nothing: not a clock that was set forward, nor a writer who comes back late', async (t) => {
  const { alice, bob } = await talking(t);
  const [first, last] = (await alice.write('x'.repeat(ENVELOPE_TEXT + 1))) as [Uint8Array, Uint8Array];
  await bob.take(first);
  bob.clock.skew = 22 * 24 * 3600_000;
  await bob.restart();
  bob.clock.skew = 0;
  await bob.later(365 * 24 * 3600_000);
  await bob.restart();
  t.same(bob.notices(), ['incomplete alice 1/2']);
  await bob.take(last);
  t.same(texts(await bob.items()), ['x'.repeat(ENVELOPE_TEXT + 1)]);
});

test('what was given up stays so, and what still comes of it is no gap', async (t) => {
  const { alice, bob } = await talking(t);
  const envelopes = await alice.write('x'.repeat(3 * ENVELOPE_TEXT));
  await bob.take(...envelopes.slice(0, 1));
  const first = new Uint8Array(ENVELOPE_TEXT).fill(0x61);
  for (let i = 0; i < UNFINISHED_MAX; i++) await bob.take(await alice.seal(first, { parts: 2 }));
  t.same(bob.notices(), ['given-up alice 1/3']);
  t.equal(bob.state.unfinished.size, UNFINISHED_MAX, 'its bytes are gone');
  await bob.take(...envelopes);
  await bob.restart();
  await bob.take(...(await alice.write('next')));
  await bob.later(5_000);
  const about = bob.notices().filter((one) => !one.startsWith('incomplete alice 1/2'));
  t.same(about, ['given-up alice 1/3']);
  t.same(texts(await bob.items()), ['next']);
});

test('pages of the longest texts fit a line of the profile’s socket', async (t) => {
  const { alice, bob } = await talking(t);
  const worst = '\u0001'.repeat(TEXT_MAX);
  for (let i = 0; i < 20; i++) await bob.take(...(await alice.write(worst)));
  const { texts: shown, pages } = bob.history('alice');
  t.equal(shown.length, 20);
  t.ok(pages.length > 1);
  t.ok(Math.max(...pages) < LINE_MAX - 64 * 1024, `${String(Math.max(...pages))} characters`);
  t.equal(texts(await bob.items()).length, 20);
  await bob.restart();
  t.equal(bob.history('alice').texts.length, 20);
});
