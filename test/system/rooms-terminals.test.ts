/** A room in two real terminals: its password typed at prompts, and drawn; what a person sees of it. */
import { join } from 'node:path';
import { test } from 'tap';
import { linkClient } from '../../src/keys/link.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { temporaryFolder } from '../support/temp.js';
import { Terminal } from '../support/tmux.js';

const password = 'correct horse battery';
const words = 'apple river stone';
const ofRoom = 'room11 pass2934';

void test('a room in two terminals', async (t) => {
  const network = await makeNetwork();
  const folder = await temporaryFolder(t);
  await linkClient({ network: network.name, keys: network.keys, out: folder });
  const daemon = await startDaemon(t, { network, tls: true, args: ['--lobby', 'everybody'] });
  const cadenas = `node ${join(folder, 'cadenas.mjs')} --server ${daemon.host}:${String(daemon.port)}`;
  const [alice, bob] = [await Terminal.open(t, folder), await Terminal.open(t, folder)];
  const [a, b] = [`${cadenas} --profile alice`, `${cadenas} --profile bob`];
  for (const [terminal, program, name] of [
    [alice, a, 'alice'],
    [bob, b, 'bob'],
  ] as const) {
    const asked = [
      ['New password', password],
      ['same again', password],
      ['Three words', words],
    ] as const;
    await terminal.command(
      `${program} register @${name}`,
      ...asked.map(([prompt, answer]) => [prompt, answer] as [string, string]),
    );
    await terminal.command(`${program} login`, ['Password:', password], ['Three words:', words]);
  }

  await bob.command(`${b} receive`);
  t.match(await bob.screen(), /this network offers #everybody/, 'the common room is offered');
  await bob.command(`${b} room join everybody`);
  t.match(
    await bob.screen(),
    /you are in #everybody: owner @bob, 1 member; common to the network: whoever runs the daemon can read it\n/,
    'who comes first makes it',
  );
  await alice.command(`${a} room join everybody`);
  t.match(
    await alice.screen(),
    /you are in #everybody: owner @bob, 2 members; common to the network: whoever runs the daemon can read it\n/,
    'and nobody is asked for a password',
  );

  await alice.command(`${a} room create room11`, ['assword', ofRoom], ['again', ofRoom]);
  t.match(await alice.screen(), /made #room11\n/);
  t.notOk((await alice.screen()).includes('pass2934'), 'the password is not shown');
  await bob.command(`${b} room join room11`, ['assword', 'room11 pass2935']);
  t.match(await bob.screen(), /wrong password for #room11, or there is no such room/);
  t.match(await bob.screen(), /exit:1/);
  await bob.command(`${b} room join "#room11"`, ['assword', ofRoom]);
  t.match(await bob.screen(), /you are in #room11: owner @alice, 2 members\n/);

  await bob.type('clear');
  await bob.type(`${b} receive --follow`);
  await alice.command(`${a} room send room11 "hello all, žluťoučký 🐴"`);
  t.match(await alice.screen(), /✓/);
  await bob.sees('#room11 @alice: hello all, žluťoučký 🐴');
  await bob.press('C-c');
  await bob.sees('READY>', 2);
  await alice.command(`${a} room members room11`);
  t.match(await alice.screen(), /@alice \(you\) {2}owner; online\n@bob {2}member; online\n/);

  await alice.command(`${a} room remove room11 @bob`, ['assword', '']);
  const drawn = /the password of #room11: (\w+(?: \w+){4})\n/.exec(await alice.screen())?.[1];
  t.ok(drawn, 'another password of five words was drawn');
  await bob.command(`${b} room send room11 "still here?"`);
  t.match(await bob.screen(), /you are not in the room #room11/);
  await bob.command(`${b} receive`);
  t.match(await bob.screen(), /you are not in #room11 any more: you were removed/);
  await alice.command(`${a} room delete room11`, ['room11', 'room11']);
  await alice.command(`${a} room list`);
  t.match(await alice.screen(), /#everybody/);
  t.notMatch(await alice.screen(), /#room11/);
  for (const [terminal, program] of [
    [alice, a],
    [bob, b],
  ] as const)
    await terminal.command(`${program} logout`);
});
