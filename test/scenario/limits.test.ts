/** What one user may say and ask in a time, and how a client lives with it: it waits, says so, and nothing is lost. */
import { test, type Test } from 'tap';
import { Code, structs } from '../../protocol/index.js';
import { Exit } from '../../src/client/index.js';
import { defaultLimits } from '../../src/server/limits.js';
import type { Rate, Rates } from '../../src/server/rates.js';
import { startFuzzed, type FuzzedDaemon } from '../fuzz/daemon-server.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { letter } from '../support/letters.js';
import { newPerson } from '../support/people.js';
import { befriend } from '../support/raw.js';
import { drawMessage, makeRoom } from '../support/raw-rooms.js';
import { atServer, befriended, comeBack, leave, memberNames, newGuest, say, told } from '../support/room-lab.js';
import { code, unread } from '../unit/client-parties.js';

/** Refusals of a daemon in this process, by what was too much. */
function counted({ context }: FuzzedDaemon): Record<Rate, number> {
  const refusals = { message: 0, command: 0, free: 0 };
  const own = context.rates.take.bind(context.rates);
  context.rates.take = (rate, peer) => {
    const wait = own(rate, peer);
    if (wait > 0) refusals[rate]++;
    return wait;
  };
  return refusals;
}

/** Look-ups are refused for so many seconds, the first times. */
function limitLookups({ context }: FuzzedDaemon, ...waits: number[]): void {
  const { budgets } = context;
  const take = budgets.take.bind(budgets);
  budgets.take = (budget, key) => (budget === 'lookups' ? Promise.resolve(waits.shift() ?? 0) : take(budget, key));
}

test('as many messages as a user may send, private and in rooms together; one more is 429 with a wait', async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork() });
  const [ann, bob] = [await newPerson(t, daemon, 'ann'), await newPerson(t, daemon, 'bob')];
  await befriend(ann.raw, ann.user, bob.raw, bob.user);
  const room = await makeRoom(ann, 'quiet');
  bob.raw.close();
  const burst = defaultLimits['message-burst'];
  const codes = new Map<string, number>();
  const count = ({ header, values }: Awaited<ReturnType<typeof ann.raw.ask>>): void => {
    const key = `${String(header.code)} ${String(values['wait'])}`;
    codes.set(key, (codes.get(key) ?? 0) + 1);
  };
  const said = await drawMessage(ann, room, 'x');
  for (let sent = 0; sent < burst + 40; sent += 40) {
    const letters = Array.from({ length: 20 }, (_, n) => letter(ann.user, bob.user, sent + n));
    const answers = letters.flatMap((envelope) => [
      ann.raw.ask(structs.smpu, { envelope }),
      ann.raw.ask(structs.srms, said),
    ]);
    for (const answer of await Promise.all(answers)) count(answer);
  }
  const refused = codes.get('429 1') ?? 0;
  const taken = (codes.get('202 0') ?? 0) + (codes.get('200 0') ?? 0);
  t.equal(taken + refused, burst + 40, JSON.stringify([...codes]));
  t.ok(taken >= burst && taken < burst + 20, `${String(taken)} of ${String(burst)} and what came in between`);
  t.equal((await ann.raw.ask(structs.keyq, { name: 'bob' })).header.code, Code.done, 'other commands go on');
  t.equal(await daemon.stop(), 0);
});

test('500 messages at once arrive all, in order, once; that the daemon limits them is told once', async (t) => {
  const server = await startFuzzed(t, undefined, { limits: { 'messages-per-second': 200, 'message-burst': 100 } });
  const refusals = counted(server);
  const host = atServer(server);
  const [alice, bob] = [await newGuest(t, host, 'alice'), await newGuest(t, host, 'bobby')];
  await befriended(alice, bob);
  await bob.core.call('read', { keys: (await bob.core.call('unread', {})).items.map(({ key }) => key) });
  let tellings = 0;
  alice.core.on((event) => {
    if (event.type === 'limited' && event.of === 'messages') tellings++;
  });
  const texts = Array.from({ length: 500 }, (_, n) => `text ${String(n)}`);
  const sent = texts.map((text) => alice.core.call('send', { to: 'bobby', text }));
  const came: string[] = [];
  while (came.length < texts.length) {
    await unread(bob.core, ({ type }) => type === 'message');
    const { items } = await bob.core.call('unread', {});
    for (const item of items) {
      t.equal(item.type, 'message', 'nothing is missing, nor out of order');
      if (item.type === 'message') came.push(item.text);
    }
    await bob.core.call('read', { keys: items.map(({ key }) => key) });
  }
  t.same(came, texts);
  t.equal(tellings, 1);
  const troubles = (await Promise.all(sent)).flatMap(({ trouble }) => trouble ?? []);
  t.ok(troubles.length > 0 && troubles.every((trouble) => trouble.code === 'limited' && trouble.exit === Exit.limited));
  t.match(troubles[0]?.hint, /^it goes by itself in 1 s; don’t send it again$/);
  t.ok(refusals.message > 0 && refusals.message < 500, `${String(refusals.message)} refusals`);
  t.same((await bob.core.call('unread', {})).items, []);
});

test('rooms are looked at and entered under a limit of commands: what it refuses is asked again', async (t) => {
  const server = await startFuzzed(t, undefined, { limits: { 'commands-per-second': 40, 'command-burst': 6 } });
  const refusals = counted(server);
  const host = atServer(server);
  const guests = await Promise.all(['alice', 'bobby', 'carol'].map((name) => newGuest(t, host, name)));
  const [alice, bob, ...others] = guests;
  if (!alice || !bob) throw new Error('nobody');
  const rooms = ['one', 'two'];
  for (const room of rooms) {
    const { password = '' } = await alice.core.call('room-create', { room, inviteOnly: false });
    await bob.core.call('room-join', { room, password });
    for (const other of others) await other.core.call('room-join', { room, password });
  }
  await leave(bob);
  for (const room of rooms) await alice.core.call('room-remove', { room, name: 'carol' });
  await comeBack(host, bob);
  const names = ['alice owner', 'bobby member'];
  for (const room of rooms) t.same(await memberNames(bob, room), names, room);
  for (const room of rooms) t.match(await say(bob, room, 'here'), /queued|delivered/);
  t.ok(refusals.command > 0, `${String(refusals.command)} refusals`);
});

test('a look that would wait for too long begins again when it may', async (t) => {
  const server = await startFuzzed(t);
  const host = atServer(server);
  const [alice, bob] = [await newGuest(t, host, 'alice'), await newGuest(t, host, 'bobby')];
  const { password = '' } = await alice.core.call('room-create', { room: 'quiet', inviteOnly: false });
  await bob.core.call('room-join', { room: 'quiet', password });
  await leave(bob);
  await alice.core.call('room-passwd', { room: 'quiet' });
  let isLimited = true;
  const { rates } = server.context;
  const take = rates.take.bind(rates);
  const refused = new Promise<void>((resolve) => {
    rates.take = ((rate, peer) => {
      if (rate !== 'command' || !isLimited) return take(rate, peer);
      resolve();
      return 30;
    }) satisfies Rates['take'];
  });
  await comeBack(host, bob);
  await refused;
  isLimited = false;
  let looks = 0;
  const looked = new Promise<void>((resolve) => {
    rates.take = (rate, peer) => {
      if (rate === 'command' && ++looks > 0) resolve();
      return take(rate, peer);
    };
  });
  await bob.core.call('status', {}); // the refusal has come back
  await new Promise(setImmediate);
  t.equal(looks, 0, 'not before its time');
  bob.clock.forward(30_000);
  await looked;
  t.same(await memberNames(bob, 'quiet'), ['alice owner', 'bobby member']);
});

async function pair(t: Test) {
  const server = await startFuzzed(t);
  const host = atServer(server);
  return { server, alice: await newGuest(t, host, 'alice'), bob: await newGuest(t, host, 'bobby') };
}

test('contacts --check waits for the daemon’s limit, and tells it; add is kept, and goes by itself', async (t) => {
  const { server, alice, bob } = await pair(t);
  await befriended(alice, bob);
  const waits: number[] = [];
  alice.core.on((event) => {
    if (event.type === 'limited' && event.of === 'look-ups') waits.push(event.wait);
  });
  limitLookups(server, 1);
  const { contacts } = await alice.core.call('contacts', { check: true });
  t.same(
    contacts.map(({ check }) => check),
    ['same'],
  );
  t.same(waits, [1], 'told');
  limitLookups(server, 1000);
  t.equal(await code(alice.core.call('contacts', { check: true })), 'limited', 'not for ever');

  const carol = await newGuest(t, atServer(server), 'carol');
  limitLookups(server, 40);
  const asked = await alice.core.call('add', { name: 'carol' });
  t.match(asked, { relation: 'asked', pending: true, trouble: { code: 'limited', exit: Exit.limited } });
  t.match(asked.trouble?.hint, /goes by itself in 40 s/);
  alice.clock.forward(40_000);
  await unread(carol.core, (item) => item.type === 'notice' && item.kind === 'request');
});

test('what a person does with a room is told where it would wait too long', async (t) => {
  const { server, alice, bob } = await pair(t);
  await befriended(alice, bob);
  await alice.core.call('room-create', { room: 'quiet', inviteOnly: true });
  limitLookups(server, 30);
  t.equal(await code(alice.core.call('room-invite', { room: 'quiet', name: 'bobby' })), 'limited');
  limitLookups(server, 1);
  await alice.core.call('room-invite', { room: 'quiet', name: 'bobby' });
  await told(bob, 'quiet', 'invited');
  limitLookups(server, 30);
  t.equal(await code(alice.core.call('room-create', { room: 'other', inviteOnly: true })), 'limited');
  t.equal((await alice.core.call('rooms', {})).rooms.length, 1, 'nothing is kept of it');
});

test('look-ups are limited by source too', async (t) => {
  const args = ['--limit', 'source-lookups-per-minute=3'];
  const daemon = await startDaemon(t, { network: await makeNetwork(), args });
  const people = [await newPerson(t, daemon, 'ann'), await newPerson(t, daemon, 'bob')];
  const codes: number[] = [];
  for (let n = 0; n < 2; n++)
    for (const { raw } of people) codes.push((await raw.ask(structs.keyq, { name: 'ann' })).header.code);
  t.same(codes, [200, 200, 200, 429]);
});
