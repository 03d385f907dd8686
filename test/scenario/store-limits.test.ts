/** The limits of what is kept: who meets one is told 429, and everybody else goes on. */
import { test, type Test } from 'tap';
import { Code, readEnvelopeHeader, structs } from '../../protocol/index.js';
import { makeNetwork, type Daemon } from '../support/daemon.js';
import { acknowledge, letter, numberOf } from '../support/letters.js';
import { connected, enter, newPerson, startLavish, type Person } from '../support/people.js';
import { befriend, makeUser, registerUser, type Received } from '../support/raw.js';

async function limited(t: Test, ...limits: string[]): Promise<Daemon> {
  const args = limits.flatMap((limit) => ['--limit', limit]);
  return startLavish(t, { network: await makeNetwork(), args });
}

const send = async (from: Person, envelope: Uint8Array): Promise<number> =>
  (await from.raw.ask(structs.smpu, { envelope }, readEnvelopeHeader(envelope)?.message)).header.code;

const message = (person: Person): Promise<Received> => person.raw.next(({ opcode }) => opcode === structs.rvum.opcode);

/** A message to somebody connected, who acknowledges it. @returns its code */
async function online(t: Test, from: Person, to: Person, number: number): Promise<number> {
  const answer = send(from, letter(from.user, to.user, number));
  const received = await message(to);
  acknowledge(to.raw, received.frameId);
  t.equal(numberOf(received), number);
  return answer;
}

async function register(t: Test, daemon: Daemon, name: string): Promise<number> {
  const raw = await connected(t, daemon);
  const { header } = await registerUser(raw, await makeUser(name));
  raw.close();
  return header.code;
}

test('accounts: who comes when all are taken is told 429, and everybody else goes on', async (t) => {
  const daemon = await limited(t, 'accounts=2');
  const [alice, bobby] = [await newPerson(t, daemon, 'alice'), await newPerson(t, daemon, 'bobby')];
  await befriend(alice.raw, alice.user, bobby.raw, bobby.user);
  t.equal(await register(t, daemon, 'carol'), Code.limited);
  t.equal(await register(t, daemon, 'alice'), Code.conflict, 'a name that is taken is told as such');
  t.equal(await online(t, alice, bobby, 1), Code.done, 'those who are there write');
  t.ok(await enter(t, daemon, alice.user, false), 'and log in');
  t.equal(await register(t, daemon, 'carol'), Code.limited, 'still');
});

test('of many who register at once no more get an account than there may be', async (t) => {
  const daemon = await limited(t, 'accounts=3');
  const names = ['alice', 'bobby', 'carol', 'david', 'erika', 'frank'];
  const codes = await Promise.all(names.map((name) => register(t, daemon, name)));
  t.same(codes.sort(), [...Array<number>(3).fill(Code.done), ...Array<number>(3).fill(Code.limited)]);
});

for (const limit of ['queue-entries=10', 'queue-bytes=20000']) {
  test(`a full queue (${limit}) is told to its sender, who goes on with others`, async (t) => {
    const daemon = await limited(t, limit);
    const [alice, bobby] = [await newPerson(t, daemon, 'alice'), await newPerson(t, daemon, 'bobby')];
    const [carol, david] = [await newPerson(t, daemon, 'carol'), await newPerson(t, daemon, 'david')];
    await befriend(david.raw, david.user, bobby.raw, bobby.user);
    await befriend(alice.raw, alice.user, bobby.raw, bobby.user);
    await befriend(alice.raw, alice.user, carol.raw, carol.user);
    await befriend(carol.raw, carol.user, bobby.raw, bobby.user);
    bobby.raw.close();

    const letters = Array.from({ length: 8 }, (_, number) => letter(alice.user, bobby.user, number));
    const codes: number[] = [];
    for (const each of letters) codes.push(await send(alice, each));
    t.same(codes, [...Array<number>(5).fill(Code.queued), ...Array<number>(3).fill(Code.limited)]);
    const theirs: number[] = [];
    for (let number = 0; number < 6; number++) theirs.push(await send(carol, letter(carol.user, bobby.user, number)));
    t.same(theirs, [...Array<number>(5).fill(Code.queued), Code.limited], 'whoever fills a half leaves the other');
    t.equal(await send(david, letter(david.user, bobby.user, 9)), Code.limited, 'then it is full to any sender');
    const [first, , , , , sixth] = letters;
    if (!first || !sixth) throw new Error('eight letters');
    t.equal(await send(alice, first), Code.queued, 'a replay of what waits is answered as before');
    t.equal(await online(t, alice, carol, 1), Code.done, 'to somebody else');
    carol.raw.close();
    t.equal(await send(alice, letter(alice.user, carol.user, 2)), Code.queued, 'whether there or away');

    const back = await enter(t, daemon, bobby.user, false);
    t.equal(back.cnnt.queued, 10);
    for (const number of [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]) {
      const received = await message(back);
      t.equal(numberOf(received), number, 'what was refused is not among them');
      acknowledge(back.raw, received.frameId);
    }
    await alice.raw.event(structs.dlvd);
    const again = send(alice, sixth);
    const received = await message(back);
    acknowledge(back.raw, received.frameId);
    t.equal(numberOf(received), 5, 'what was refused can be sent again');
    t.ok([Code.done, Code.queued].includes((await again) as 200));
  });
}
