/** `npm run pictures`: plays a small scene at real terminals and keeps what they show, for the README. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Person, type PersonOptions } from '../support/at-screen.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { picture } from '../support/picture.js';
import { root, type Teardown } from '../support/temp.js';

const folder = join(root, 'docs/pictures');
const undo: (() => unknown)[] = [];
const scope: Teardown = { teardown: (step) => undo.push(step) };

function keep(name: string, person: Person): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.svg`), picture(person.screen, { title: `cadenas — ${person.name}` }));
  process.stdout.write(`docs/pictures/${name}.svg\n`);
}

/** Says it, and waits until it is on the other's disk. */
async function tells(who: Person, text: string): Promise<void> {
  who.says(text);
  await who.sees(/(✓✓|read) +⏱ *60m *$/m);
}

try {
  const network = await makeNetwork('garden');
  const daemon = await startDaemon(scope, { network, tls: true });
  const sits = (name: string, more: Partial<PersonOptions> = {}): Promise<Person> =>
    Person.sits(scope, { network, where: daemon, name, columns: 92, rows: 26, ...more });
  const [alice, bob, carol] = [await sits('alice'), await sits('bob'), await sits('carol')];

  await alice.registers('apple river stone');
  alice.press('t');
  await alice.sees('Scan the picture');
  keep('second-factor', alice);
  alice.press('esc');
  await alice.sees('● online');
  await bob.comesIn();
  await carol.comesIn();

  alice.says('/add @bob');
  await alice.sees('asked @bob');
  await bob.sees(/Safety words: \w/);
  keep('request', bob);
  bob.press('alt-y');
  await alice.sees('accepted');
  await tells(alice, 'the tomatoes are in, come and see :tomato:');
  await bob.sees('tomatoes');
  await tells(bob, 'on my way. Shall I bring the 日本 seeds?');
  await alice.sees('seeds');
  await tells(alice, 'yes please\nand the small spade'.replace('\n', ' — '));
  carol.says('/add @alice');
  await alice.sees('?@carol');
  alice.press('alt-a');
  await alice.sees('Alt-Y');
  alice.press('alt-y');
  await alice.sees('you can talk now');

  alice.says('/room create #beds invite-only');
  await alice.sees('made #beds');
  alice.says('/invite @bob');
  await alice.sees('invited @bob');
  bob.press('alt-a');
  await bob.sees('Alt-Y');
  bob.press('alt-y');
  await bob.sees('you are in #beds');
  bob.says('who waters on Sunday?');
  await alice.sees('Sunday?');
  alice.says('me, before nine');
  await bob.sees('before nine');
  keep('room', bob);

  alice.says('/query @bob');
  await alice.sees('@bob> ');
  alice.says('/verify');
  await alice.sees('Safety number');
  keep('verify', alice);
  alice.types('c');
  await alice.sees('verified @bob');
  carol.says('hello Alice, are there any leeks left?');
  await alice.sees('@carol');
  await alice.sees(/carol.*1/);
  await alice.sees(/spade +read/);
  alice.types('/msg @carol plen');
  await alice.sees('plen');
  keep('conversation', alice);
} finally {
  for (const step of undo.reverse()) await step();
}
