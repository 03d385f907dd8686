/** Rooms while epochs begin at once, texts are on their way, and clients die: nothing is lost, doubled, or told wrongly (SPEC 9). */
import tap, { test, type Test } from 'tap';
import { Code, hex, structs, type Values } from '../../protocol/index.js';
import { comeBack, heard, leave, say, told, type Guest } from '../support/room-lab.js';
import { answerOf, failure, inside, readAll, roomOf, shown, tamper, until } from '../support/room-hostile.js';
import { openCast, PASSWORD } from '../support/room-cast.js';
import { newSeed, seededRandom } from '../support/random.js';
import { left } from '../../src/server/room-changes.js';
import { recordsWith, stateKeyOf } from './client-disk.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 12);
const SEED = newSeed();
const { lab, alice, bob, carol, mallory, honest, roomWith, renewed } = await openCast(tap);

/** What a person should not have been told. */
async function alarms(guest: Guest, room: string): Promise<string[]> {
  return (await shown(guest, room)).filter((line) => !line.includes(': ') && !/^(entered|left|removed)/.test(line));
}

async function texts(guest: Guest, room: string): Promise<string[]> {
  return (await shown(guest, room)).filter((line) => line.includes(': '));
}

test(`9: somebody leaves, and all others speak at once: one epoch, each text once (SEED=${String(SEED)})`, async (t) => {
  await roomWith('crowd', bob, carol);
  const random = seededRandom(SEED);
  const next = (below: number): number => Math.floor(below * random());
  for (let round = 0; round < ROUNDS; round++) {
    await mallory.core.call('room-join', { room: 'crowd', password: PASSWORD });
    for (const one of [alice, bob, carol]) await told(one, 'crowd', 'entered', 'mallory');
    const before = roomOf(await inside(lab, alice), 'crowd').epoch;
    const speakers = [alice, bob, carol].map((one) => ({ one, at: next(4) })).sort((a, b) => a.at - b.at);
    const leaving = mallory.core.call('room-leave', { room: 'crowd' });
    if (next(2) === 0) await leaving;
    const all: Promise<string>[] = [];
    for (const { one, at } of speakers) {
      for (let turn = 0; turn < at; turn++) await new Promise((resolve) => setImmediate(resolve));
      for (let n = 0; n <= next(3); n++) all.push(say(one, 'crowd', `${String(round)}/${String(n)} of ${one.name}`));
    }
    await leaving;
    for (const state of await Promise.all(all)) t.match(state, /delivered|queued/);
    for (const one of [alice, bob, carol]) {
      for (const { one: other } of speakers)
        if (other !== one) await heard(one, 'crowd', `${String(round)}/0 of ${other.name}`);
      t.same(await alarms(one, 'crowd'), [], `round ${String(round)}, ${one.name}`);
      const seen = await texts(one, 'crowd');
      t.equal(new Set(seen).size, seen.length, 'none twice');
    }
    /* Where all of it was said before they left, nobody has begun a new epoch yet. */
    t.match(await say(alice, 'crowd', `end of ${String(round)}`), /delivered|queued/);
    for (const one of [bob, carol]) await heard(one, 'crowd', `end of ${String(round)}`);
    for (const one of [alice, bob, carol])
      t.equal(roomOf(await inside(lab, one), 'crowd').epoch, before + 1, `one epoch, ${one.name}`);
    await readAll(alice, bob, carol);
  }
  for (const one of [alice, bob, carol]) one.clock.forward(6_000);
  for (const one of [alice, bob, carol]) t.same(await alarms(one, 'crowd'), []);
});

test('10: a sender who was away for several epochs', async (t) => {
  await roomWith('away', bob);
  await say(bob, 'away', 'before');
  await leave(bob);
  await comeBack(lab.host, bob, false);
  t.equal(await say(bob, 'away', 'written offline'), 'waiting');
  t.equal(await say(bob, 'away', 'and another'), 'waiting');
  for (let n = 0; n < 3; n++) await renewed('away');
  await bob.core.connect();
  await heard(alice, 'away', 'and another');
  alice.clock.forward(6_000);
  t.same(await texts(alice, 'away'), ['bobby: before', 'bobby: written offline', 'bobby: and another']);
  t.same(await alarms(alice, 'away'), []);
});

for (const how of ['told', 'not told'] as const)
  test(`10: a text of 64 KiB, and a new epoch in the middle of it, of which its sender is ${how}`, async (t) => {
    const room = how === 'told' ? 'longtold' : 'longlost';
    await roomWith(room, bob, carol);
    const b = await inside(lab, bob);
    if (how === 'not told') lab.drop = (to, name) => name === 'chrm' && hex(to) === hex(b.uid);
    let begun: Promise<void> | undefined;
    lab.asked = async (guest, struct, values, next) => {
      if (guest !== bob.storage || struct.name !== 'srms') return next();
      if ((values as Values<typeof structs.srms>).part >= 10) await (begun ??= renewed(room, carol));
      return next();
    };
    const long = 'x'.repeat(65_536);
    const sent = await bob.core.call('send', { to: `#${room}`, text: long });
    t.match(sent.state, /delivered|queued/);
    t.notOk(sent.trouble, JSON.stringify(sent.trouble));
    for (const one of [alice, carol]) await heard(one, room, long);
    await say(bob, room, 'behind it');
    for (const one of [alice, carol]) {
      await heard(one, room, 'behind it');
      one.clock.forward(6_000);
      t.same(await texts(one, room), [`bobby: ${long}`, 'bobby: behind it']);
      t.same(await alarms(one, room), []);
    }
    honest();
  });

test('10: a new epoch comes between a text and its answer: no gap is told', async (t) => {
  await roomWith('between', bob);
  let hold = true;
  lab.asked = async (guest, struct, _values, next) => {
    const reply = await next();
    if (guest !== bob.storage || struct.name !== 'srms' || !hold) return reply;
    hold = false;
    await renewed('between', bob);
    /* The room was looked through again for what has to be sealed anew. */
    await bob.core.call('room-members', { room: 'between' });
    return reply;
  };
  t.match(await say(bob, 'between', 'first'), /delivered|queued/);
  t.match(await say(bob, 'between', 'second'), /delivered|queued/);
  await heard(alice, 'between', 'second');
  t.same(await texts(alice, 'between'), ['bobby: first', 'bobby: second']);
  t.same(await alarms(alice, 'between'), []);
});

test('10: removed without a word while something waits: it is not called delivered', async (t) => {
  await roomWith('thrown', bob, carol);
  await carol.core.call('room-leave', { room: 'thrown' });
  await told(bob, 'thrown', 'left', 'carol');
  const b = await inside(lab, bob);
  const { uid } = b;
  await tamper(lab, roomOf(b, 'thrown'), (state) => left(state, [uid]));
  const sent = await bob.core.call('send', { to: '#thrown', text: 'into nothing' });
  t.match(sent, { state: 'failed', trouble: { code: 'room-closed' } });
  t.same(await alarms(bob, 'thrown'), ['you-removed']);
});

test('10: removed by its owner when they have left already: the password that is told is the one that holds', async (t) => {
  await roomWith('toolate', bob, carol);
  const a = await inside(lab, alice);
  lab.drop = (to, name) => name === 'lfrm' && hex(to) === hex(a.uid);
  await bob.core.call('room-leave', { room: 'toolate' });
  const { password = '' } = await alice.core.call('room-remove', { room: 'toolate', name: 'bobby' });
  t.equal(await failure(bob.core.call('room-join', { room: 'toolate', password: PASSWORD })), 'room-refused 1');
  t.equal(await failure(bob.core.call('room-join', { room: 'toolate', password })), 'done');
});

test('10: a daemon that made a room, and failed behind it: the room is ours; one that did not make it: nothing is', async (t) => {
  honest();
  lab.asked = async (_guest, struct, _values, next) =>
    struct.name === 'crms' ? answerOf(await next(), Code.storage) : next();
  await alice.core.call('room-create', { room: 'fulldisk', inviteOnly: true });
  t.equal(await say(alice, 'fulldisk', 'to nobody'), 'delivered');
  lab.asked = async (_guest, struct, values, next) =>
    struct.name === 'crms' ? answerOf(await next({ ...(values as object), epoch: 2 }), Code.storage) : next();
  const made = alice.core.call('room-create', { room: 'fullerdisk', inviteOnly: true });
  t.equal(await failure(made), 'unavailable 3');
  honest();
  t.notOk((await inside(lab, alice)).state.rooms.has('#fullerdisk'));
  t.equal(await failure(alice.core.call('room-create', { room: 'fullerdisk', inviteOnly: true })), 'done');
});

test('10: a deletion that fails takes the room from nobody who looks meanwhile', async (t) => {
  await roomWith('ending', bob);
  const { store } = lab.server.context as unknown as { store: { deleteRoom: (id: Uint8Array) => Promise<unknown> } };
  const deleteRoom = store.deleteRoom.bind(store);
  store.deleteRoom = async () => {
    store.deleteRoom = deleteRoom;
    t.equal(await failure(bob.core.call('room-members', { room: 'ending' })), 'unavailable 3');
    throw new Error('the disk is full');
  };
  t.equal(await failure(alice.core.call('room-delete', { room: 'ending' })), 'unavailable 3');
  t.same(await alarms(bob, 'ending'), []);
  await say(alice, 'ending', 'it goes on');
  await heard(bob, 'ending', 'it goes on');
});

test('10: handed over to somebody who left meanwhile: told who it was', async (t) => {
  await roomWith('handed', bob);
  const a = await inside(lab, alice);
  lab.drop = (to, name) => name === 'lfrm' && hex(to) === hex(a.uid);
  await bob.core.call('room-leave', { room: 'handed' });
  const given = alice.core.call('room-owner', { room: 'handed', name: 'bobby' });
  t.equal(await failure(given), 'room-no-member 1');
});

test('11: somebody leaves and a new epoch begins while one enters: nobody is alarmed', async (t) => {
  await roomWith('inbetween', carol);
  const [wait, tick] = [new Set<string>(), (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100))];
  lab.asked = async (guest, struct, values, next) => {
    const reply = await next();
    if (guest !== bob.storage) return reply;
    if (struct.name === 'mbrm' && (values as Values<typeof structs.mbrm>).index === 2 && !wait.has('left')) {
      wait.add('left');
      await carol.core.call('room-leave', { room: 'inbetween' });
      await tick();
    } else if (struct.name === 'strm' && wait.has('left') && !wait.has('begun')) {
      wait.add('begun');
      await say(alice, 'inbetween', 'to who is left');
      await tick();
    }
    return reply;
  };
  await bob.core.call('room-join', { room: 'inbetween', password: PASSWORD });
  t.same([...wait], ['left', 'begun']);
  await heard(bob, 'inbetween', 'to who is left');
  t.same(await alarms(bob, 'inbetween'), []);
  await say(bob, 'inbetween', 'all is well');
  await heard(alice, 'inbetween', 'all is well');
});

test('11: twenty long texts come to somebody who enters: none is refused', async (t) => {
  await roomWith('library');
  const long = (n: number): string => `${String(n)} `.padEnd(14 * 1024, '.');
  for (let n = 0; n < 20; n++) await say(alice, 'library', long(n));
  await readAll(bob);
  let slow = true;
  lab.asked = async (guest, struct, _values, next) => {
    if (guest === bob.storage && struct.name === 'strm' && slow) {
      slow = false;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    return next();
  };
  await bob.core.call('room-join', { room: 'library', password: PASSWORD });
  for (let n = 0; n < 20; n++) await heard(bob, 'library', long(n));
  t.same(await alarms(bob, 'library'), []);
});

class Killed extends Error {}

/** Kills the client at its n-th write; @returns whether there was one. The daemon is where it is then. */
async function killedAt(guest: Guest, nth: number, work: (core: Guest['core']) => Promise<unknown>): Promise<boolean> {
  let writes = 0;
  guest.storage.before = () => {
    if (++writes >= nth) throw new Killed('power cut');
  };
  await work(guest.core).catch(() => undefined);
  guest.storage.before = () => undefined;
  if (writes < nth) return false;
  await leave(guest);
  await comeBack(lab.host, guest);
  return true;
}

/** What was begun is brought to an end. */
async function settled(guest: Guest, room: string): Promise<boolean> {
  const row = async () => (await inside(lab, guest)).state.rooms.get(`#${room}`);
  await until(guest, async () => {
    const now = await row();
    return now?.standing !== 'entering' && !now?.leaving;
  });
  return (await row())?.standing === 'member';
}

async function tracesOf(guest: Guest, needles: readonly string[]): Promise<string[]> {
  const key = await stateKeyOf(guest.storage.files, lab.host.linked);
  return needles.filter((needle) => recordsWith(needle, guest.storage.files, key).length > 0);
}

async function eachWrite(t: Test, guest: Guest, what: string, one: (nth: number) => Promise<boolean>): Promise<void> {
  let nth = 1;
  while (await one(nth)) nth++;
  t.ok(nth > 1, `${what}: killed at ${String(nth - 1)} writes of ${guest.name}`);
}

test('12: killed at each write of making a room', async (t) => {
  honest();
  await eachWrite(t, bob, 'making', async (nth) => {
    const room = `made_${String(nth)}`;
    const killed = await killedAt(bob, nth, (core) =>
      core.call('room-create', { room, inviteOnly: false, password: PASSWORD }),
    );
    await readAll(carol);
    if (!(await settled(bob, room))) {
      t.same(await shown(bob, room), [], 'nothing is told of what never was');
      await bob.core.call('room-create', { room, inviteOnly: false, password: PASSWORD });
    }
    t.match(await say(bob, room, 'here'), /delivered|queued/);
    await carol.core.call('room-join', { room, password: PASSWORD });
    await heard(carol, room, 'here');
    return killed;
  });
});

for (const kind of ['password', 'invitation'] as const)
  test(`12: killed at each write of entering by ${kind}`, async (t) => {
    await eachWrite(t, bob, 'entering', async (nth) => {
      const room = `${kind}_${String(nth)}`;
      await roomWith(room);
      if (kind === 'invitation') {
        await alice.core.call('room-invite', { room, name: 'bobby' });
        await told(bob, room, 'invited');
      }
      await readAll(bob);
      await say(alice, room, 'said before');
      const args = kind === 'password' ? { room, password: PASSWORD } : { room };
      const killed = await killedAt(bob, nth, (core) => core.call('room-join', args));
      if (!(await settled(bob, room))) {
        t.same(await shown(bob, room), []);
        t.equal(await failure(bob.core.call('room-join', args)), 'done');
      }
      await heard(bob, room, 'said before');
      await say(bob, room, 'here');
      await heard(alice, room, 'here');
      t.same(
        (await alarms(bob, room)).filter((line) => !line.startsWith('invited')),
        [],
      );
      return killed;
    });
  });

test('12: killed at each write of leaving: nothing of it stays, and it can be entered again', async (t) => {
  await eachWrite(t, bob, 'leaving', async (nth) => {
    const room = `left_${String(nth)}`;
    await roomWith(room, bob);
    await say(alice, room, `words of ${room}`);
    await heard(bob, room, `words of ${room}`);
    await readAll(bob);
    const { secret = '', wrapKey } = roomOf(await inside(lab, bob), room);
    const killed = await killedAt(bob, nth, (core) => core.call('room-leave', { room }));
    if (!(await settled(bob, room))) {
      t.same(await tracesOf(bob, [`words of ${room}`, secret, wrapKey]), [], `write ${String(nth)}`);
      t.same(await shown(bob, room), []);
      t.equal(await failure(bob.core.call('room-join', { room, password: PASSWORD })), 'done');
    }
    await say(bob, room, 'here');
    await heard(alice, room, 'here');
    return killed;
  });
});

test('12: killed at each write of inviting, removing and deleting', async (t) => {
  for (const [what, work] of [
    ['inviting', (core: Guest['core'], room: string) => core.call('room-invite', { room, name: 'bobby' })],
    [
      'removing',
      (core: Guest['core'], room: string) => core.call('room-remove', { room, name: 'carol', password: PASSWORD }),
    ],
  ] as const)
    await eachWrite(t, alice, what, async (nth) => {
      const room = `${what}_${String(nth)}`;
      await roomWith(room, carol);
      const killed = await killedAt(alice, nth, (core) => work(core, room));
      t.ok(await settled(alice, room));
      if (what === 'inviting') {
        t.match(await failure(work(alice.core, room)), /done|room-has-member 1/);
        await told(bob, room, 'invited');
        await bob.core.call('room-join', { room });
        await heard(bob, room, await said(alice, room));
      } else {
        t.match(await failure(work(alice.core, room)), /done|room-no-member 1/);
        await until(carol, async () => !(await inside(lab, carol)).state.rooms.has(`#${room}`));
        t.match(await say(alice, room, 'without her'), /delivered|queued/);
      }
      return killed;
    });
  await eachWrite(t, alice, 'deleting', async (nth) => {
    const room = `deleted_${String(nth)}`;
    await roomWith(room, bob);
    await say(bob, room, `words of ${room}`);
    await heard(alice, room, `words of ${room}`);
    const { secret = '', wrapKey } = roomOf(await inside(lab, alice), room);
    const killed = await killedAt(alice, nth, (core) => core.call('room-delete', { room }));
    if (await settled(alice, room)) await alice.core.call('room-delete', { room });
    t.same(await tracesOf(alice, [`words of ${room}`, secret, wrapKey]), [], `write ${String(nth)}`);
    await told(bob, room, 'room-deleted');
    return killed;
  });
});

async function said(guest: Guest, room: string): Promise<string> {
  await say(guest, room, 'welcome');
  return 'welcome';
}

test('15: what is left on the disk of who left, was removed, or whose room was deleted', async (t) => {
  await roomWith('traces', bob, carol, mallory);
  const words = 'words of which nothing stays';
  await say(alice, 'traces', words);
  for (const one of [bob, carol, mallory]) await heard(one, 'traces', words);
  await renewed('traces', bob, carol, mallory);
  await say(bob, 'traces', words);
  for (const one of [alice, carol, mallory]) await heard(one, 'traces', words);
  const needles = new Map<Guest, string[]>();
  for (const one of [alice, bob, carol, mallory]) {
    const { secret = '', former = '', wrapKey, id } = roomOf(await inside(lab, one), 'traces');
    needles.set(one, [words, secret, former, wrapKey, `#${id}:`]);
    t.equal((await tracesOf(one, [words, secret, former, wrapKey])).length, 4, `${one.name} has them now`);
  }
  const clean = async (one: Guest): Promise<void> => {
    t.same(await tracesOf(one, needles.get(one) ?? []), [], one.name);
  };
  await mallory.core.call('room-leave', { room: 'traces' });
  await clean(mallory);
  await alice.core.call('room-remove', { room: 'traces', name: 'carol', password: PASSWORD });
  await told(carol, 'traces', 'you-removed');
  await clean(carol);
  await alice.core.call('room-delete', { room: 'traces' });
  await told(bob, 'traces', 'room-deleted');
  await clean(bob);
  await clean(alice);
});

test('15: R of an older epoch, and what was under an older password, leave the disk within a minute', async (t) => {
  await roomWith('oldkeys', bob);
  const { secret = '', wrapKey } = roomOf(await inside(lab, bob), 'oldkeys');
  await renewed('oldkeys', bob);
  const { former } = roomOf(await inside(lab, bob), 'oldkeys');
  t.equal(former, secret, 'of the epoch before it stays');
  await renewed('oldkeys', bob);
  t.same(await tracesOf(bob, [secret, wrapKey]), [secret, wrapKey]);
  bob.clock.forward(60_000);
  await until(bob, async () => (await tracesOf(bob, [secret, wrapKey])).length === 0);
  await renewed('oldkeys', bob);
  t.same(await tracesOf(bob, [former ?? '']), []);
  const { former: kept = '' } = roomOf(await inside(lab, bob), 'oldkeys');
  await renewed('oldkeys', bob);
  t.equal((await tracesOf(bob, [kept])).length, 1);
  await leave(bob);
  await comeBack(lab.host, bob);
  t.same(await tracesOf(bob, [kept]), [], 'nor does it outlast a start');
});

test('15: an invitation that ended by time: its key is gone with the next login', async (t) => {
  honest();
  await alice.core.call('room-create', { room: 'brief', inviteOnly: true });
  await alice.core.call('room-invite', { room: 'brief', name: 'bobby' });
  await told(bob, 'brief', 'invited');
  const { secret = '' } = roomOf(await inside(lab, bob), 'brief');
  t.equal((await tracesOf(bob, [secret])).length, 1);
  await leave(bob);
  bob.clock.skew = 22 * 24 * 3600_000;
  await comeBack(lab.host, bob, false);
  t.same(await tracesOf(bob, [secret]), []);
  await leave(bob);
  bob.clock.skew = 0;
  await comeBack(lab.host, bob);
});

test('15: of what was read the newest twenty stay', async (t) => {
  await roomWith('newest', bob);
  const text = (n: number): string => `text number ${String(n)};`;
  for (let n = 0; n < 25; n++) await say(alice, 'newest', text(n));
  await heard(bob, 'newest', text(24));
  bob.clock.forward(60_000);
  t.equal(
    (
      await tracesOf(
        bob,
        Array.from({ length: 25 }, (_, n) => text(n)),
      )
    ).length,
    25,
    'unread: all stay',
  );
  await readAll(bob);
  bob.clock.forward(60_000);
  const old = Array.from({ length: 5 }, (_, n) => text(n));
  await until(bob, async () => (await tracesOf(bob, old)).length === 0);
  t.equal(
    (
      await tracesOf(
        bob,
        Array.from({ length: 20 }, (_, n) => text(n + 5)),
      )
    ).length,
    20,
  );
});
