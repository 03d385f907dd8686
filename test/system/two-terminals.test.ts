/** Two people in two real terminals, as the README has it, secrets typed at prompts. */
import { join } from 'node:path';
import { test } from 'tap';
import { linkClient } from '../../src/keys/link.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { temporaryFolder } from '../support/temp.js';
import { Terminal } from '../support/tmux.js';

const password = 'correct horse battery';
const words = 'apple river stone';

void test('a conversation in two terminals', async (t) => {
  const network = await makeNetwork();
  const folder = await temporaryFolder(t);
  await linkClient({ network: network.name, keys: network.keys, out: folder });
  const daemon = await startDaemon(t, { network, tls: true });
  const cadenas = `node ${join(folder, 'cadenas.mjs')} --server ${daemon.host}:${String(daemon.port)}`;
  const alice = await Terminal.open(t, folder);
  const bob = await Terminal.open(t, folder);
  const a = `${cadenas} --profile alice`;
  const b = `${cadenas} --profile bob`;

  await alice.command(
    `${a} register @alice`,
    ['New password', password],
    ['same again', password],
    ['Three words', words],
  );
  const screen = await alice.screen();
  t.match(screen, /registered as @alice/);
  t.notOk(screen.includes(password), 'the password is not shown');
  await bob.command(`${b} register @bob`, ['New password', password], ['same again', password], ['Three words', '']);
  const drawn = /your three words: (\w+ \w+ \w+)/.exec(await bob.screen())?.[1];
  t.ok(drawn, 'three words were drawn');

  await alice.command(`${a} login`, ['Password:', password], ['Three words:', words]);
  t.match(await alice.screen(), /logged in as @alice for 12 hours, until \d\d:\d\d (today|tomorrow)/);
  await bob.command(`${b} login`, ['Password:', password], ['Three words:', drawn ?? '']);
  await alice.command(`${a} add @bob`);
  await bob.command(`${b} receive`);
  t.match(await bob.screen(), /@alice asks to talk with you/);
  await bob.command(`${b} accept @alice`);
  await alice.command(`${a} send @bob "hello, žluťoučký 🐴"`);
  t.match(await alice.screen(), /delivered ✓✓/);

  await bob.type(`${b} --profile other register @nobody; echo "exit:$?"`);
  await bob.sees('New password', 1);
  await bob.press('C-c');
  await bob.sees('\nexit:130');
  await bob.type('clear');
  await bob.type(`${b} receive --follow`);
  await bob.sees('@alice: hello, žluťoučký 🐴');
  await alice.command(`${a} send @bob "and one while you look"`);
  await bob.sees('@alice: and one while you look');
  await bob.press('C-c');
  await bob.sees('READY>', 2);

  await bob.command(`${b} logout`);
  await alice.command(`${a} send @bob "while you are away"`);
  t.match(await alice.screen(), /queued ✓/);
  await bob.command(`${b} receive`, ['Password:', password], ['Three words:', drawn ?? '']);
  t.match(await bob.screen(), /@alice: while you are away/);
  await alice.command(`${a} history @bob`);
  t.match(await alice.screen(), /me ✓✓( read)?: while you are away/);
  await alice.command(`${a} send @nobody hello`);
  t.match(await alice.screen(), /exit:1/);
  await alice.command(`${a} logout`);
});
