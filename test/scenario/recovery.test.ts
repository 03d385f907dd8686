/** rcov and rkey at a running daemon: who gets in, what it looks like to others, and what goes (SPEC 6.12, 6.13). */
import { test } from 'tap';
import { Code, hex, keyBundleProblem, Label, samePublic, structs, type Values } from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';
import { makeNetwork, type Daemon } from '../support/daemon.js';
import { connected, enter, newPerson, startLavish } from '../support/people.js';
import { befriend, logIn, ports, type RawConnection, type RawUser } from '../support/raw.js';
import { beginRecovery, rekeyed, renew } from '../support/raw-keys.js';
import { codeOf, join as joinRoom, makeRoom } from '../support/raw-rooms.js';
import { again, withCodes } from '../support/recovery-codes.js';
import type { Teardown } from '../support/temp.js';

const network = await makeNetwork();

async function loginCode(t: Teardown, daemon: Daemon, user: RawUser, grant?: Uint8Array): Promise<number> {
  const raw = await connected(t, daemon);
  const { header } = await logIn(raw, user, grant ? { grant } : {});
  raw.close();
  return header.code;
}

async function chkyOf(raw: RawConnection): Promise<Values<typeof structs.chky>> {
  const { values, header } = await raw.event(structs.chky);
  raw.send(structs.ackd, { ids: [{ id: header.frameId }] });
  return values;
}

test('recovered by a code and the password, once; all that went by the former keys ends', async (t) => {
  const first = await startLavish(t, { network });
  const [alice, bob] = [await newPerson(t, first, 'alice'), await newPerson(t, first, 'bobby')];
  await befriend(alice.raw, alice.user, bob.raw, bob.user);
  const room = await makeRoom(bob, 'garden');
  t.equal(await joinRoom(alice, room), Code.done);
  await makeRoom(alice, 'own_room');
  const prepared = await withCodes(t, first, alice.user, 3);
  const { codes } = prepared;
  let { daemon } = prepared;
  let who = alice.user;
  const [one, two, three] = codes as [Uint8Array, Uint8Array, Uint8Array];
  t.equal(await loginCode(t, daemon, who), 401, 'without the second factor');

  await t.test(
    'unknown name, wrong code, wrong password, other proofs: the same frames, at the same times',
    async (u) => {
      const next = await rekeyed(who);
      const wrong = nodeSync.random(10);
      const uids = new Map<string, string>();
      const turns = new Map<string, number>();
      for (const [what, asked, code, typed] of [
        ['unknown name', { ...next, name: 'nobody' }, wrong, next.password],
        ['wrong code', next, wrong, next.password],
        ['wrong code again', next, nodeSync.random(10), next.password],
        ['wrong password', next, one, 'another password'],
      ] as const) {
        const raw = await connected(u, daemon);
        const began = performance.now();
        const { first: shown, finish } = await beginRecovery(raw, asked, code, typed);
        turns.set(what, Math.round((performance.now() - began) / 25));
        u.equal(shown.header.code, Code.proceed, what);
        uids.set(what, hex((shown.values as Values<typeof structs.rcov1Answer>).uid));
        u.equal((await finish?.())?.header.code, 401, what);
        raw.close();
      }
      u.not(uids.get('unknown name'), uids.get('wrong code'));
      u.equal(uids.get('wrong code'), uids.get('wrong code again'), 'one name has one decoy');
      u.not(uids.get('wrong code'), hex(who.uid));
      u.ok(
        [...turns.values()].every((each) => each >= 1),
        `paced: ${[...turns.values()].join(' ')}`,
      );
      const raw = await connected(u, daemon);
      const even = Uint8Array.from(next.enc.modulus);
      even[255] = 2;
      const weak = { ...next, enc: { ...next.enc, modulus: even } } as RawUser;
      for (const asked of [weak, { ...weak, name: 'nobody' }])
        u.equal((await beginRecovery(raw, asked, one)).first.header.code, 400, 'keys that nobody may have');
      const { finish } = await beginRecovery(raw, next, one);
      u.equal((await finish?.({ mac: nodeSync.random(32) }))?.header.code, 401, 'not for who can’t open the block');
      const strict = await connected(u, daemon);
      await beginRecovery(strict, next, one);
      strict.send(structs.keyq, { name: 'alice' });
      await strict.closed;
      const signed = await connected(u, daemon);
      const other = await beginRecovery(signed, next, one);
      u.equal((await other.finish?.({ suite: 2 }))?.header.code, 401);
    },
  );

  await t.test('two at once with one code: one of them', async (u) => {
    const there = await enter(u, daemon, bob.user, false);
    const tries = await Promise.all(
      [0, 1].map(async () => {
        const next = await rekeyed(who);
        const raw = await connected(u, daemon);
        return { next, raw, begun: await beginRecovery(raw, next, one) };
      }),
    );
    const ends = await Promise.all(tries.map(async ({ begun }) => (await begun.finish?.())?.header.code));
    u.same([...ends].sort(), [200, 401]);
    const won = tries[ends.indexOf(200)];
    if (!won) throw new Error('nobody');
    const change = await chkyOf(there.raw);
    u.ok(samePublic(change.sig, won.next.sig.modulus), 'nobody is told of the other’s keys');
    u.equal(await keyBundleProblem(ports, change), undefined);
    u.ok(change.former.every((byte) => byte === 0));
    const { header } = await logIn(won.raw, won.next);
    u.equal(header.code, Code.done, 'on the same connection, without a second factor');
    who = won.next;
    u.equal(await codeOf(there.raw, structs.smpu, { envelope: envelope(bob.user, who) }), 403, 'not before they ask');
  });

  await t.test(
    'a live session of the former keys ends with 401; grants count no more; the used code is none',
    async (u) => {
      const here = await connected(u, daemon);
      const { values } = await logIn(here, who);
      const { grant } = values as Values<typeof structs.passAnswer>;
      const next = await rekeyed(who);
      const raw = await connected(u, daemon);
      const used = await beginRecovery(raw, next, one);
      u.equal((await used.finish?.())?.header.code, 401);
      const begun = await beginRecovery(raw, next, two);
      u.equal((await begun.finish?.())?.header.code, 200);
      u.equal((await here.event(structs.clos)).header.code, 401);
      u.equal(await loginCode(u, daemon, who, grant), 401, 'the former keys');
      who = next;
    },
  );

  await t.test('killed right behind 200: the new keys hold, and rooms know it at their next use', async (u) => {
    const next = await rekeyed(who);
    const raw = await connected(u, daemon);
    const begun = await beginRecovery(raw, next, three);
    u.equal((await begun.finish?.())?.header.code, 200);
    await daemon.kill();
    daemon = await again(t, daemon);
    u.equal(await loginCode(u, daemon, who), 401);
    const me = await enter(u, daemon, next, false);
    u.equal(await codeOf(me.raw, structs.strm, { room: room.id }), 403);
    u.equal(await codeOf(me.raw, structs.jrms1, { name: 'own_room' }), 200);
    const there = await enter(u, daemon, bob.user, false);
    const { values } = await there.raw.ask(structs.mbrm, { room: room.id, index: 1 });
    u.not((values as Values<typeof structs.mbrmAnswer>).state, 0, 'no member any more');
  });
});

function envelope(from: RawUser, to: RawUser): Uint8Array {
  const bytes = nodeSync.random(1736);
  bytes.set(from.uid, 34);
  bytes.set(to.uid, 50);
  return bytes;
}

test('renewed: both signatures, the words; then the link ends, and the session goes on', async (t) => {
  const daemon = await startLavish(t, { network });
  const [alice, bob] = [await newPerson(t, daemon, 'alice'), await newPerson(t, daemon, 'bobby')];
  await befriend(alice.raw, alice.user, bob.raw, bob.user);
  alice.raw.close();
  let proof = new Uint8Array(32) as Uint8Array;
  const raw = await connected(t, daemon);
  const { values } = await logIn(raw, alice.user, { proven: (words) => (proof = words) });
  const { grant } = values as Values<typeof structs.passAnswer>;
  const next = await rekeyed(alice.user, alice.user.w);
  const none = { words: proof, factor: 0, code: new Uint8Array(0), time: 1, suite: 1 };
  const blank = { mac: new Uint8Array(32), signature: new Uint8Array(256), former: new Uint8Array(256) };
  t.equal(await codeOf(raw, structs.rkey2, { ...none, ...blank }), 409, 'nothing was begun');
  t.equal(await codeOf(raw, structs.rkey1, { enc: next.enc.modulus, sig: next.enc.modulus }), 400);
  for (const change of [
    { words: nodeSync.random(32) },
    { mac: nodeSync.random(32) },
    { time: 1 },
    { suite: 2 },
    { signature: nodeSync.random(256) },
    { former: new Uint8Array(256) },
    { factor: 3, code: grant },
  ])
    t.equal((await renew(raw, alice.user, next, proof, change)).header.code, 401, Object.keys(change).join());
  t.equal((await renew(raw, alice.user, next, proof)).header.code, 200);
  t.equal((await raw.event(structs.clos)).header.code, 503);
  await raw.closed;
  const change = await chkyOf(bob.raw);
  t.ok(samePublic(change.enc, next.enc.modulus));
  const isSigned = await ports.asymmetric.pssVerify(
    alice.user.sig.modulus,
    Label.former,
    bundleOf(change),
    change.former,
  );
  t.ok(isSigned);
  t.equal(await loginCode(t, daemon, alice.user), 401, 'the former keys');
  t.equal(await loginCode(t, daemon, next, grant), 200);
  const { values: asked } = await bob.raw.ask(structs.keyq, { name: 'alice' });
  t.ok(samePublic((asked as Values<typeof structs.keyqAnswer>).sig, next.sig.modulus));
});

/** The fields before `former`, as they stand on the wire. */
function bundleOf({ uid, name, enc, sig, time, suite, signature }: Values<typeof structs.chky>): Uint8Array {
  const out = Buffer.alloc(825);
  out.set(uid, 0);
  out.write(name, 16, 'ascii');
  out.set(enc, 48);
  out.set(sig, 304);
  out.writeBigUInt64BE(BigInt(time), 560);
  out.writeUInt8(suite, 568);
  out.set(signature, 569);
  return out;
}
