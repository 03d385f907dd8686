/** The online path: a message that its recipient acknowledges at once leaves the disk alone. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { Code, structs } from '../../protocol/index.js';
import { makeNetwork } from '../support/daemon.js';
import { acknowledge, letter, numberOf } from '../support/letters.js';
import { newPerson, startLavish, type Person } from '../support/people.js';
import { befriend } from '../support/raw.js';

/** Size and time of the last change of each file of the journal. */
function stateOf(journal: string): Record<string, string> {
  const names = readdirSync(journal).sort();
  return Object.fromEntries(
    names.map((name) => {
      const { size, mtimeMs } = statSync(join(journal, name));
      return [name, `${String(size)} bytes, changed ${String(mtimeMs)}`];
    }),
  );
}

test('200 messages between two who are connected leave the journal as it was; one to somebody away does not', async (t) => {
  const network = await makeNetwork();
  const daemon = await startLavish(t, { network });
  const journal = join(daemon.data, network.name, 'journal');
  const [alice, bobby] = [await newPerson(t, daemon, 'alice'), await newPerson(t, daemon, 'bobby')];
  await befriend(alice.raw, alice.user, bobby.raw, bobby.user);

  const send = async (from: Person, to: Person, number: number): Promise<number> => {
    const answer = from.raw.ask(structs.smpu, { envelope: letter(from.user, to.user, number) });
    const received = await to.raw.next(({ opcode }) => opcode === structs.rvum.opcode);
    acknowledge(to.raw, received.frameId);
    t.equal(numberOf(received), number);
    return (await answer).header.code;
  };
  // What came before may still be on its way from the disk: a 200 each way says that it is not.
  for (const [from, to] of [
    [alice, bobby],
    [bobby, alice],
  ] as const) {
    while ((await send(from, to, 0)) !== Code.done);
  }

  const before = stateOf(journal);
  const codes = new Set<number>();
  for (let number = 1; number <= 100; number++) {
    codes.add(await send(alice, bobby, number));
    codes.add(await send(bobby, alice, number));
  }
  t.same(codes, new Set([Code.done]), 'each was acknowledged in time');
  t.same(stateOf(journal), before);

  bobby.raw.close();
  const away = await alice.raw.ask(structs.smpu, { envelope: letter(alice.user, bobby.user, 101) });
  t.equal(away.header.code, Code.queued);
  t.notSame(stateOf(journal), before, 'what is told 202 is in the journal');
});
