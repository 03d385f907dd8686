/** Whose keys these are, and whose session: the linked program against a real daemon. */
import { execFileSync } from 'node:child_process';
import { test, type Test } from 'tap';
import { Person } from '../support/at-screen.js';
import { Guest, member, sitsDown } from '../support/at-table.js';
import { CliUser } from '../support/cli.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { lavishArgs } from '../support/lavish.js';

interface Lab {
  readonly daemon: Daemon;
  readonly alice: CliUser;
  readonly bobby: Guest;
  readonly carol: Guest;
  readonly screen: Person;
}

/** The same name with other keys. */
async function comesAnew(t: Test, { daemon }: Lab, old: Guest): Promise<Guest> {
  await old.core.call('delete-account', old.secrets);
  const anew = await Guest.comes(t, daemon, old.name);
  await anew.core.call('add', { name: 'alice' });
  return anew;
}

async function changed(t: Test, lab: Lab): Promise<void> {
  const { alice, bobby, carol, screen } = lab;
  screen.says('/query @bobby');
  await screen.sees('│ @bobby — ');
  const other = await comesAnew(t, lab, bobby);
  const banner = /! THE KEYS OF @bobby CHANGED: nothing is sent to them until you decide/;
  await screen.sees(banner);
  screen.says('for whom?');
  await screen.sees(/the keys of @bobby changed/);
  await screen.sees('@bobby> for whom?');
  screen.press('ctrl-c', 'alt-n');
  await screen.sees('type: same');
  screen.press('enter');
  await screen.sees('type same or other, or press Esc');
  screen.press('esc');
  await screen.sees('not decided');
  screen.press('alt-y');
  await screen.sees('type: same');
  screen.press('y', 'enter');
  await screen.sees('type same or other, or press Esc');
  screen.press('esc');
  await screen.gone('same or other:');
  screen.press('enter', 'ctrl-n');
  await screen.gone(banner);
  screen.says('/query @bobby');
  await screen.sees(banner);
  await screen.quits();
  screen.again();
  await screen.sees('● online');
  await screen.sees(/1!@bobby/);
  screen.says('/query @bobby');
  await screen.sees(banner);
  t.same(other.texts, [], 'nothing was sent');
  screen.says('/verify');
  await screen.sees('same or other:');
  screen.types('other');
  screen.press('enter');
  await screen.sees('kept the former keys of @bobby');
  await screen.gone(banner);
  t.match(
    (await alice.ask('contacts')).find(({ name }) => name === 'bobby'),
    { changed: false, verified: false },
  );

  const another = await comesAnew(t, lab, carol);
  await screen.sees(/!@carol/);
  screen.says('/verify @carol');
  await screen.sees('same or other:');
  const [digits = ''] = /(?:\d{5} ){3}\d{5}/.exec(screen.screen.text()) ?? [];
  screen.types('same');
  screen.press('enter');
  await screen.sees('verified @carol');
  screen.says('/msg @carol to the new one');
  await another.hears('to the new one');
  const { number } = await another.core.call('verify', { name: 'alice' });
  t.ok(digits !== '' && number.startsWith(digits.replaceAll(' ', '')), 'what they see is what was shown');
  screen.says('/logout');
  t.same(await screen.screen.exited, { code: 0, signal: undefined });
}

/** Two profiles on one machine at the same time; then one account on two. */
async function twice(t: Test, { daemon, alice, bobby, screen }: Lab): Promise<void> {
  const second = await Person.sits(t, {
    ...{ network: daemon.network, where: daemon, name: 'dora', home: alice.home },
    args: ['--profile', 'other'],
  });
  await second.comesIn();
  await bobby.core.call('add', { name: 'dora' });
  await second.sees(/1\?@bobby/);
  second.press('alt-a');
  await second.sees('@bobby asks to talk with you');
  second.press('alt-y');
  await second.sees('accepted @bobby');
  second.says('from the other profile');
  await bobby.hears('from the other profile');
  t.match(screen.screen.text(), '@alice │ ● online', 'and the first one goes on');
  await second.quits();

  const elsewhere = await CliUser.make(t, { network: daemon.network, where: daemon, name: 'alice' });
  execFileSync('cp', ['-a', alice.home, elsewhere.home]); // the profile's socket too
  await elsewhere.ask('login');
  await screen.sees('another client of this account logged in and took over');
  t.notMatch(screen.screen.text(), 'cadenas login');
  await elsewhere.ask('logout');
  await screen.unlocks();
  await screen.sees('● online');
}

void test('keys and sessions at the terminal', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network, args: lavishArgs });
  const [bobby, carol] = await Promise.all(['bobby', 'carol'].map((name) => Guest.comes(t, daemon, name)));
  if (!bobby || !carol) throw new Error('nobody there');
  const alice = await member(t, daemon, 'alice', [bobby, carol]);
  const screen = await sitsDown(t, daemon, alice);
  await screen.sees('● online');
  const lab: Lab = { daemon, alice, bobby, carol, screen };
  await t.test('two profiles, two machines', (t1) => twice(t1, lab));
  await t.test('keys that changed', (t1) => changed(t1, lab));
});
