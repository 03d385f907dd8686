/** Private messages through a running daemon: who is told what, what is on disk when, in which order things come. */
import { test } from 'tap';
import { Code, readEnvelopeHeader, structs, type Values } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { letter } from '../support/letters.js';
import { connected, enter, newPerson, startLavish, type Person } from '../support/people.js';
import type { Teardown } from '../support/temp.js';
import { befriend, logIn, requestOf, type RawConnection } from '../support/raw.js';

const codeOf = async (answer: Promise<{ header: { code: number } }>): Promise<number> => (await answer).header.code;

async function received(raw: RawConnection): Promise<{ id: Uint8Array; number: number; envelope: Uint8Array }> {
  const { header, values } = await raw.event(structs.rvum);
  const number = readEnvelopeHeader(values.envelope)?.sequence ?? -1;
  return { id: header.frameId, number, envelope: values.envelope };
}

const acknowledge = (raw: RawConnection, ...ids: Uint8Array[]): void => {
  raw.send(structs.ackd, { ids: ids.map((id) => ({ id })) });
};

async function friends(t: Teardown, tls = false) {
  const daemon = await startLavish(t, { network: await makeNetwork(), tls });
  const a = await newPerson(t, daemon, 'alice');
  const b = await newPerson(t, daemon, 'bobby');
  await befriend(a.raw, a.user, b.raw, b.user);
  return { daemon, a, b };
}

const write = (a: Person, b: Person, number: number): Promise<number> =>
  codeOf(a.raw.ask(structs.smpu, { envelope: letter(a.user, b.user, number) }));

for (const tls of [false, true]) {
  void test(`online: 200 when the recipient acknowledged (${tls ? 'TLS' : 'TCP'})`, async (t) => {
    const { a, b } = await friends(t, tls);
    const answer = write(a, b, 1);
    const { id, number } = await received(b.raw);
    t.equal(number, 1);
    acknowledge(b.raw, id);
    t.equal(await answer, Code.done);
  });
}

void test('offline: 202, delivered at the next login, told to the sender', async (t) => {
  const { daemon, a, b } = await friends(t);
  b.raw.close();
  const sent = letter(a.user, b.user, 1);
  const id = nodeSync.random(16);
  t.equal(await codeOf(a.raw.ask(structs.smpu, { envelope: sent }, id)), Code.queued);
  t.equal(await codeOf(a.raw.ask(structs.smpu, { envelope: sent }, id)), Code.queued, 'a replay while it is queued');
  t.equal(await write(a, b, 2), Code.queued);
  await daemon.kill();
  const again = await startDaemon(t, { network: daemon.network, data: daemon.data });
  const sender = await enter(t, again, a.user);
  const back = await enter(t, again, b.user, false);
  t.equal(back.cnnt.queued, 2, 'both survived a kill, the replay is there once');
  const one = await received(back.raw);
  const two = await received(back.raw);
  t.same([one.number, two.number], [1, 2], 'in order');
  t.same(one.envelope, sent, 'byte for byte');
  t.equal((await back.raw.event(structs.drnd)).values.delivered, 2);
  acknowledge(back.raw, one.id, two.id);
  const told = await sender.raw.event(structs.dlvd);
  t.same(Buffer.from(told.values.message), Buffer.from(id), 'by the frame id of its smpu');
  t.same(told.values.recipient, b.user.uid);
  back.raw.close();
  const third = await enter(t, again, b.user, false);
  t.equal(third.cnnt.queued, 0, 'gone after the acknowledgement');
});

void test('online but silent: 202 from the disk after 250 ms, the mark when it acknowledges', async (t) => {
  const { a, b } = await friends(t);
  const before = performance.now();
  const answer = write(a, b, 1);
  const { id } = await received(b.raw);
  t.equal(await answer, Code.queued);
  const ms = performance.now() - before;
  t.ok(ms >= 240, `not before the time given (${ms.toFixed(0)} ms)`);
  const second = write(a, b, 2);
  const next = await received(b.raw);
  t.equal(await second, Code.queued, 'a newer one goes behind it, to the disk');
  acknowledge(b.raw, id, next.id);
  await a.raw.event(structs.dlvd);
  acknowledge(a.raw, (await a.raw.event(structs.dlvd)).header.frameId);
  const third = write(a, b, 3);
  acknowledge(b.raw, (await received(b.raw)).id);
  t.equal(await third, Code.done, 'when all is acknowledged, the disk is out of the way again');
});

void test('what flew when the connection broke comes again, in order, once acknowledged never', async (t) => {
  const { daemon, a, b } = await friends(t);
  const answers = [1, 2, 3, 4].map((number) => write(a, b, number));
  const flown = [await received(b.raw), await received(b.raw), await received(b.raw), await received(b.raw)];
  acknowledge(b.raw, flown[1]?.id ?? new Uint8Array(16));
  t.equal(await answers[1], Code.done);
  b.raw.close();
  t.same(await Promise.all(answers), [Code.queued, Code.done, Code.queued, Code.queued]);
  t.equal(await write(a, b, 5), Code.queued);
  const back = await enter(t, daemon, b.user, false);
  const numbers: number[] = [];
  for (let i = 0; i < 4; i++) numbers.push((await received(back.raw)).number);
  t.same(numbers, [1, 3, 4, 5]);
});

void test('a long queue comes in order while new messages arrive', async (t) => {
  const { daemon, a, b } = await friends(t);
  b.raw.close();
  const count = 300;
  for (let i = 0; i < count; i++) t.equal(await write(a, b, i), Code.queued);
  const back = await enter(t, daemon, b.user, false);
  const numbers: number[] = [];
  const late: Promise<number>[] = [];
  while (numbers.length < count + 20) {
    const { id, number } = await received(back.raw);
    numbers.push(number);
    if (numbers.length <= 20) late.push(write(a, b, count + numbers.length - 1));
    acknowledge(back.raw, id);
  }
  t.same(
    numbers,
    Array.from({ length: count + 20 }, (_, i) => i),
  );
  for (const code of await Promise.all(late)) t.ok(code === Code.queued || code === Code.done);
  t.ok((await back.raw.event(structs.drnd)).values.delivered >= count);
});

void test('a later login takes over: the earlier client is told', async (t) => {
  const { daemon, a, b } = await friends(t);
  const answer = write(a, b, 1);
  await received(b.raw);
  const later = await enter(t, daemon, b.user, false);
  t.equal((await b.raw.event(structs.clos)).header.code, Code.conflict);
  await b.raw.closed;
  t.equal(await answer, Code.queued, 'what the earlier one had not acknowledged');
  t.equal((await received(later.raw)).number, 1, 'comes to the later one');
});

void test('requests: asked, accepted, declined, blocked', async (t) => {
  const daemon = await startLavish(t, { network: await makeNetwork() });
  const a = await newPerson(t, daemon, 'alice');
  const b = await newPerson(t, daemon, 'bobby');
  const ask = async (from: Person, to: string, id?: Uint8Array) =>
    codeOf(from.raw.ask(structs.jmpu, await requestOf(from.user, to), id));
  t.equal(await ask(a, 'nobody'), Code.notFound);
  t.equal(await ask(a, 'alice'), Code.conflict, 'oneself');
  t.equal(await codeOf(a.raw.ask(structs.bloc, { uid: a.user.uid })), Code.conflict, 'oneself');
  t.equal(
    await codeOf(a.raw.ask(structs.jmpu, await requestOf({ ...a.user, name: 'bobby' }, 'bobby'))),
    Code.forbidden,
  );
  b.raw.close();
  const id = nodeSync.random(16);
  t.equal(await ask(a, 'bobby', id), Code.queued);
  t.equal(await ask(a, 'bobby', id), Code.queued, 'a replay is answered again');
  t.equal(await write(a, b, 1), Code.forbidden, 'asked is not accepted');
  const back = await enter(t, daemon, b.user, false);
  t.equal(back.cnnt.queued, 1, 'and has no second effect');
  const request = await back.raw.event(structs.rjmp);
  t.equal(request.values.name, 'alice');
  acknowledge(back.raw, request.header.frameId);
  const { uid, name, enc, sig } = b.user;
  const bundle = {
    uid,
    name,
    enc: enc.modulus,
    sig: sig.modulus,
    time: Date.now(),
    suite: 1,
    signature: new Uint8Array(256),
  };
  const hash = nodeSync.random(32);
  const decline = (to: Uint8Array) => codeOf(back.raw.ask(structs.dmpu, { to, request: hash }));
  t.equal(await decline(nodeSync.random(16)), Code.notFound, 'nobody');
  const declined = decline(a.user.uid);
  const heard = await a.raw.event(structs.rdmp);
  t.equal(heard.values.name, 'bobby');
  acknowledge(a.raw, heard.header.frameId);
  t.equal(await declined, Code.done);
  t.equal(await write(a, back, 1), Code.forbidden);
  const accepted = codeOf(back.raw.ask(structs.ampu, { to: a.user.uid, request: hash, ...bundle }));
  const event = await a.raw.event(structs.ramp);
  t.same(event.values.request, hash);
  acknowledge(a.raw, event.header.frameId);
  t.equal(await accepted, Code.done);
  const sent = write(a, back, 2);
  acknowledge(back.raw, (await received(back.raw)).id);
  t.equal(await sent, Code.done);
  t.equal(await codeOf(back.raw.ask(structs.bloc, { uid: a.user.uid })), Code.done);
  t.equal(await write(a, back, 3), Code.forbidden, 'blocked');
  t.equal(await ask(a, 'bobby'), Code.queued, 'who is blocked is not told');
  back.raw.close();
  t.equal((await enter(t, daemon, b.user, false)).cnnt.queued, 0, 'and asks nobody');
});

void test('keys are looked up; nobody’s address is in anything', async (t) => {
  const { a, b } = await friends(t);
  const { header, values } = await a.raw.ask(structs.keyq, { name: 'bobby' });
  const keys = values as Values<typeof structs.keyqAnswer>;
  t.equal(header.code, Code.done);
  t.same([keys.uid, keys.enc, keys.sig], [b.user.uid, b.user.enc.modulus, b.user.sig.modulus]);
  t.equal(await codeOf(a.raw.ask(structs.keyq, { name: 'nobody' })), Code.notFound);
  const structsSeen: Uint8Array[] = [];
  a.raw.onStruct = (bytes) => structsSeen.push(bytes);
  const answer = write(b, a, 1);
  acknowledge(a.raw, (await received(a.raw)).id);
  await answer;
  t.ok(structsSeen.length > 0);
  for (const bytes of structsSeen) {
    t.notOk(Buffer.from(bytes).includes('127.0.0.1'));
    t.notOk(Buffer.from(bytes).includes(Buffer.from([127, 0, 0, 1])));
  }
});

void test('the window: more unanswered messages than the daemon allows are refused, none is lost', async (t) => {
  const { daemon, a, b } = await friends(t);
  t.ok(daemon);
  const answers = Array.from({ length: 70 }, (_, i) => write(a, b, i));
  const codes = await Promise.all(answers);
  t.equal(codes.filter((code) => code === Code.limited).length, 6);
  t.equal(codes.filter((code) => code === Code.queued).length, 64);
});

void test('a stop: clients are told, what flew is on disk, exit 0 in time', async (t) => {
  const { daemon, a, b } = await friends(t);
  const lost = write(a, b, 1).catch(() => 'closed');
  await received(b.raw);
  const before = performance.now();
  const code = await daemon.stop();
  t.equal(code, 0);
  t.ok(performance.now() - before < 5000);
  t.equal((await b.raw.event(structs.clos)).header.code, Code.unavailable);
  const end = await lost;
  t.ok(end === 'closed' || end === Code.queued);
  const again = await startDaemon(t, { network: daemon.network, data: daemon.data });
  const back = await enter(t, again, b.user, false);
  t.equal((await received(back.raw)).number, 1);
});

void test('a session continues by its grant and ends by quit', async (t) => {
  const { daemon, a } = await friends(t);
  a.raw.close();
  const raw = await connected(t, daemon);
  const first = (await logIn(raw, a.user)).values as Values<typeof structs.passAnswer>;
  const second = await connected(t, daemon);
  const same = (await logIn(second, a.user, { grant: first.grant })).values as Values<typeof structs.passAnswer>;
  t.same([same.grant, same.ends], [first.grant, first.ends], 'the same session, the same end');
  second.send(structs.quit, {});
  await second.closed;
  const third = await connected(t, daemon);
  const fresh = (await logIn(third, a.user, { grant: first.grant })).values as Values<typeof structs.passAnswer>;
  t.notSame(fresh.grant, first.grant, 'quit revoked it');
});
