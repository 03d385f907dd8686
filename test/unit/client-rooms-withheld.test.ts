/** Clients in rooms whose daemon loses what it should pass on, and refuses without end (SPEC 9). */
import tap, { test } from 'tap';
import { hex, structs } from '../../protocol/index.js';
import { goesOn, openCast, PASSWORD } from '../support/room-cast.js';
import { altered, answerOf, failure, inside, shown } from '../support/room-hostile.js';
import { heard, memberNames, say, told } from '../support/room-lab.js';

const { lab, alice, bob, carol, mallory, roomWith, renewed } = await openCast(tap);

test('11: a change, an entry and a leaving that were lost: the member looks, and goes on', async (t) => {
  await roomWith('lossy', bob);
  const b = await inside(lab, bob);
  const loses = (what: string): void => {
    lab.drop = (to, name) => name === what && hex(to) === hex(b.uid);
  };
  loses('enrm');
  await carol.core.call('room-join', { room: 'lossy', password: PASSWORD });
  await say(carol, 'lossy', 'unannounced');
  await heard(bob, 'lossy', 'unannounced');
  loses('chrm');
  await renewed('lossy', carol);
  await say(alice, 'lossy', 'in an epoch unannounced');
  await heard(bob, 'lossy', 'in an epoch unannounced');
  loses('chrm');
  await renewed('lossy', carol);
  t.match(await say(bob, 'lossy', 'sent into a later epoch'), /^(queued|delivered)$/);
  loses('lfrm');
  await carol.core.call('room-leave', { room: 'lossy' });
  t.match(await say(bob, 'lossy', 'into a closed one'), /^(queued|delivered)$/);
  await heard(alice, 'lossy', 'into a closed one');
  t.same(await memberNames(bob, 'lossy'), ['alice owner', 'bobby member']);
  t.same(
    (await shown(bob, 'lossy')).filter((line) => /^(gap|unreadable|untrusted|ghost|change)/.test(line)),
    [],
  );
});

test('11: a change by somebody whose entry was lost: not trusted; left and entered again, it goes on', async (t) => {
  await roomWith('stranger', bob);
  const b = await inside(lab, bob);
  lab.drop = (to, name) => (name === 'enrm' || name === 'chrm') && hex(to) === hex(b.uid);
  await carol.core.call('room-join', { room: 'stranger', password: PASSWORD });
  await told(alice, 'stranger', 'entered', 'carol');
  await mallory.core.call('room-join', { room: 'stranger', password: PASSWORD });
  await mallory.core.call('room-leave', { room: 'stranger' });
  await told(carol, 'stranger', 'left', 'mallory');
  t.match(await say(carol, 'stranger', 'a new epoch'), /^(queued|delivered)$/);
  await told(bob, 'stranger', 'untrusted');
  let said = 0;
  lab.asked = (guest, struct, _values, next) => {
    if (guest === bob.storage && struct.name === 'srms') said++;
    return next();
  };
  t.equal(await failure(bob.core.call('send', { to: '#stranger', text: 'secret' })), 'room-untrusted 4');
  t.equal(said, 0);
  lab.drop = () => false;
  await bob.core.call('room-leave', { room: 'stranger' });
  await bob.core.call('room-join', { room: 'stranger', password: PASSWORD });
  await goesOn('stranger', alice, bob);
  await goesOn('stranger', carol, bob);
});

test('13: a daemon that answers 409 to all that is said: the client asks a few times, and waits', async (t) => {
  await roomWith('conflict', bob);
  let asked = 0;
  lab.asked = async (guest, struct, _values, next) => {
    if (guest !== bob.storage) return next();
    asked++;
    return struct.name === 'srms' ? answerOf(await next({ ...(_values as object), epoch: 999 }), 409) : next();
  };
  const sent = await bob.core.call('send', { to: '#conflict', text: 'again and again' });
  t.match(sent, { state: 'waiting', trouble: { code: 'room-busy' } });
  const first = asked;
  t.ok(first < 150, `${String(first)} requests`);
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.ok(asked - first < 20, `${String(asked - first)} more in the time after`);
  lab.asked = (_guest, _struct, _values, next) => next();
  bob.clock.forward(61_000);
  await heard(alice, 'conflict', 'again and again');
});

test('13: a daemon that answers 403 to all that is said, and calls us a member: no spinning', async (t) => {
  await roomWith('forbidden', bob);
  let asked = 0;
  lab.asked = async (guest, struct, values, next) => {
    if (guest !== bob.storage) return next();
    asked++;
    return struct.name === 'srms' ? answerOf(await next({ ...(values as object), epoch: 999 }), 403) : next();
  };
  void bob.core.call('send', { to: '#forbidden', text: 'again and again' }).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  t.ok(asked < 150, `${String(asked)} requests`);
  lab.asked = (_guest, _struct, _values, next) => next();
  bob.clock.forward(61_000);
  await heard(alice, 'forbidden', 'again and again');
});

test('13: a room that is always closed, and new epochs that are always too late: no spinning either', async (t) => {
  for (const [name, treat] of [
    ['closedroom', (struct: string) => struct === 'strm'],
    ['lateroom', (struct: string) => struct === 'strm' || struct === 'rtrm2'],
  ] as const) {
    await roomWith(name, bob);
    let [asked, epochs] = [0, 0];
    lab.asked = async (guest, struct, _values, next) => {
      if (guest !== bob.storage) return next();
      asked++;
      if (struct.name === 'rtrm2') epochs++;
      if (!treat(struct.name)) return next();
      if (struct.name === 'rtrm2') return answerOf(await next({ ...(_values as object), version: 1 }), 409);
      const reply = await next();
      return reply.isError ? reply : altered(reply, structs.strmAnswer, { closed: 1 });
    };
    await bob.core.call('room-members', { room: name });
    void bob.core.call('send', { to: `#${name}`, text: 'behind a closed door' }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    t.ok(asked < 200, `${name}: ${String(asked)} requests`);
    t.ok(epochs < 12, `${name}: ${String(epochs)} new epochs`);
    lab.asked = (_guest, _struct, _values, next) => next();
    bob.clock.forward(61_000);
    bob.clock.forward(61_000);
    await heard(alice, name, 'behind a closed door');
  }
});
