/** Two people in two real terminals, under real shells, with the interface that `cadenas` alone opens. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { linkClient } from '../../src/keys/link.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { temporaryFolder } from '../support/temp.js';
import { Terminal } from '../support/tmux.js';

const PASSWORD = 'correct horse battery';
const WORDS = 'apple river stone';

async function comesIn(terminal: Terminal, name: string): Promise<void> {
  await terminal.type(`./cadenas --profile ${name}`);
  await terminal.shows(/your name: @/);
  await terminal.type(name);
  await terminal.shows(/password: /);
  await terminal.type(PASSWORD);
  await terminal.shows(/again: /);
  await terminal.type(PASSWORD);
  await terminal.shows(/words: /);
  await terminal.type(WORDS);
  await terminal.shows(/Enter: I noted them/);
  await terminal.press('Enter');
  await terminal.shows(/You have an account/);
  await terminal.press('Enter');
  await terminal.shows(new RegExp(`@${name} │ ● online`));
}

void test('the terminal interface in two terminals', async (t) => {
  const network = await makeNetwork();
  const folder = await temporaryFolder(t);
  await linkClient({ network: network.name, keys: network.keys, out: folder });
  const daemon = await startDaemon(t, { network, tls: true });
  /* No exec: the shell of this script is in the job too, as npm's is. */
  const script = `#!/bin/sh\nnode cadenas.mjs --server ${daemon.host}:${String(daemon.port)} "$@"\n`;
  await writeFile(join(folder, 'cadenas'), script);
  await chmod(join(folder, 'cadenas'), 0o755);
  const alice = await Terminal.open(t, folder);
  const bobby = await Terminal.open(t, folder);
  const title = await alice.told('pane_title');
  await comesIn(alice, 'alice');
  await comesIn(bobby, 'bobby');
  t.equal(await alice.told('pane_title'), 'Cadenas');
  for (const one of [alice, bobby]) t.notOk((await one.screen()).includes(PASSWORD), 'the password is not shown');

  await alice.type('/add bobby');
  await alice.shows(/asked @bobby/);
  await alice.type('hello, žluťoučký 🐴');
  await bobby.shows(/@alice asks to talk with you[^]*Safety words: [a-z]+ /);
  await bobby.press('M-y');
  await bobby.shows(/@alice: hello, žluťoučký 🐴/);
  await alice.shows(/🐴 +(✓✓|read)/);

  await alice.write('begun, not ended');
  await alice.shows(/@bobby> begun, not ended/);
  await alice.press('C-z');
  await alice.shows(/Stopped/);
  t.equal(await alice.told('alternate_on'), '0', 'the shell has its own screen back');
  t.equal(await alice.told('pane_title'), title, 'and its title');
  await alice.type('echo "in the $((40 + 2)) shell"; stty -a | grep -oE -- "-?(icanon|echo) "');
  await alice.shows(/in the 42 shell\s+icanon\s+echo/);
  await bobby.type('while you are in your shell');
  await bobby.shows(/in your shell +✓/);
  await alice.resize(80, 24);
  await alice.type('fg');
  await alice.shows(/@bobby: while you are in your shell/);
  await alice.shows(/@bobby> begun, not ended\s*$/);
  t.equal((await alice.visible()).trimEnd().split('\n').length, 24, 'the input is in the last of 24 rows');
  t.equal(await alice.told('pane_title'), '(1) Cadenas', 'it is not read before a key shows that somebody looks');

  await alice.resize(40, 10);
  await alice.shows(/^ @bobby —[^│]*@alice │ ● online[^│]*\n@bobby> begun, not ended\s*$/);
  await alice.resize(120, 40);
  await alice.shows(/│ @bobby — end-to-end encrypted/);
  await alice.press('Enter');
  await bobby.shows(/@alice: begun, not ended/);

  await alice.press('C-c');
  await alice.shows(/Quit\?/);
  await alice.press('Enter');
  await alice.shows(/\nREADY>\s*$/);
  t.equal(await alice.told('alternate_on'), '0');
  t.equal(await alice.told('cursor_flag'), '1', 'with a cursor');
  t.equal(await alice.told('pane_title'), title);
  await alice.type('clear; stty -a | grep -oE -- "-?(icanon|echo) "; echo clean');
  await alice.shows(/^icanon\s+echo\s+clean\s+READY>\s*$/);

  await bobby.type('the last words');
  await bobby.shows(/the last words +✓/);
  await bobby.close();
  await alice.command('./cadenas --profile bobby history @alice', ['Password:', PASSWORD], ['Three words:', WORDS]);
  t.match(await alice.screen(), /the last words/, 'a closed window lets go of the profile, and nothing is lost');
});
