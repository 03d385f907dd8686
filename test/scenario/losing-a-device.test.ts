/** Before a device is lost, and after: other secrets, and the account on another device, through real processes. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { CliUser } from '../support/cli.js';
import { textsOf, twoUsers } from '../support/cli-users.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';

const kindsOf = (lines: readonly Readonly<Record<string, unknown>>[]) =>
  lines.filter(({ type }) => type === 'notice').map(({ kind }) => kind);

test('another password, other words, another device: the former secrets are refused, and the conversation and the room go on', async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork() });
  const [alice, bob] = await twoUsers(t, daemon);
  const secrets = (user: CliUser, value: object) => writeFile(user.secrets, JSON.stringify(value), { mode: 0o600 });
  const first = { password: 'password of alice', words: 'apple river stone' };
  const bobs = { password: 'password of bobby', words: 'apple river stone' };
  await alice.ask('login');
  await bob.ask('login');
  await alice.ask('add', '@bobby');
  await bob.ask('accept', '@alice');
  const [room] = await alice.ask('room', 'create', 'garden');
  await secrets(bob, { ...bobs, rooms: { garden: room?.['password'] } });
  await bob.ask('room', 'join', 'garden');
  await bob.ask('receive');
  await alice.ask('receive');

  const second = { ...first, password: 'another password of alice' };
  await secrets(alice, { ...first, new: { password: second.password } });
  t.same(await alice.ask('password', 'change'), [{ type: 'secrets', name: 'alice', changed: 'password' }]);
  t.match(await alice.ask('status'), [{ session: 'online' }], 'in the background process, which goes on');
  t.match(
    await alice.run('password', 'change'),
    { code: 1, err: /wrong password/ },
    'the former ones are that no more',
  );
  await alice.ask('logout');
  t.match(await alice.run('login'), { code: 1, err: /wrong password/ });
  await secrets(alice, second);
  const [words, changed] = await alice.ask('words', 'change'); // a login, a change, and the end
  t.match(changed, { type: 'secrets', changed: 'words' });
  t.match(await alice.run('login'), { code: 1, err: /wrong words/ });
  const third = { ...second, words: words?.['words'], export: 'a phrase of this file' };
  await secrets(alice, third);
  await alice.ask('login');

  const file = join(alice.home, '..', 'account');
  t.match(await alice.ask('account', 'export', file), [{ type: 'exported', contacts: 1, rooms: 1 }]);
  const mover = await CliUser.make(t, { network: daemon.network, where: daemon, name: 'alice' });
  await secrets(mover, third);
  t.match(await mover.ask('account', 'import', file), [{ type: 'imported', name: 'alice', contacts: 1, rooms: 1 }]);
  await mover.ask('login');
  t.match(await mover.ask('contacts', '--check'), [{ name: 'bobby', relation: 'open', changed: false, check: 'same' }]);
  t.match(await mover.ask('send', '@bobby', 'from the new device'), [{ state: 'delivered' }]);
  t.match(await mover.ask('room', 'send', 'garden', 'in the room'), [{ state: 'delivered' }]);
  const heard = await bob.ask('receive');
  t.same([textsOf(heard), kindsOf(heard)], [['from the new device', 'in the room'], []], 'and no warning');
  await bob.ask('send', '@alice', 'to the new device');
  await bob.ask('room', 'send', 'garden', 'in the room too');
  const answers = await mover.ask('receive');
  t.same([textsOf(answers), kindsOf(answers)], [['to the new device', 'in the room too'], []]);

  /* The former device is lost: other secrets, from the new one. */
  await secrets(mover, { ...third, new: { password: 'a third password' } });
  await mover.ask('password', 'change');
  t.match(await alice.run('login'), { code: 1, err: /the daemon refused the login of @alice/ });
  t.match(await mover.ask('status'), [{ session: 'online' }], 'who is in stays in');
});
