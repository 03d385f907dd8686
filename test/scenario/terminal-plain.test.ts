/** The terminal interface by lines that are only added: for screen readers, and terminals that can do nothing else. */
import { test, type Test } from 'tap';
import { Person } from '../support/at-screen.js';
import { Guest, sitsDown } from '../support/at-table.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { lavishArgs } from '../support/lavish.js';

/** What moves a cursor, erases, or goes over to another screen; colours too. */
const CONTROL = /\x1b|[\b\x00-\x06\x0b-\x1a]/; // eslint-disable-line no-control-regex

async function conversation(t: Test, daemon: Daemon, bobby: Guest): Promise<void> {
  const options = { args: ['--plain'], env: { TERM: 'dumb' }, rows: 60 };
  const { user, person: alice } = await sitsDown(t, daemon, 'alice', [bobby], options);
  await alice.sees('— @bobby —');
  await alice.sees('/help shows all commands');
  alice.says('hello out there');
  await bobby.hears('hello out there');
  await alice.sees('* to @bobby: sent');
  await user.ask('send', '@bobby', 'from a script');
  await alice.sees(/to @bobby \d\d:\d\d @alice .*: from a script/);
  await bobby.says('alice', 'two\nlines');
  await alice.sees(/\d\d:\d\d @bobby: two\n {8}lines/);
  t.equal((await user.ask('status'))[0]?.['unread'], 0, 'what was printed is read');

  alice.says('/room create #garden');
  await alice.sees('password: ');
  alice.types('a secret of mine', true);
  alice.press('enter');
  await alice.sees('— #garden —');
  t.notMatch(alice.screen.raw, 'a secret of mine');
  await bobby.core.call('room-join', { room: 'garden', password: 'a secret of mine' });
  await alice.sees(/#garden \* |\* #garden|@bobby came into #garden/);
  await bobby.says('#garden', 'in the garden');
  await alice.sees(/#garden \d\d:\d\d @bobby: in the garden/);
  alice.says('visible as I type');
  await alice.sees('visible as I type\n');
  await bobby.hears('visible as I type');
  await alice.sees('* to #garden: sent');
  alice.says('/quary @bobby');
  await alice.sees('! there is no command /quary: nothing was sent');
  alice.says('/query @bobby');
  await alice.sees(/— @bobby —[^]*— @bobby —/);
  alice.says('/search two');
  alice.says('/verify');
  await alice.sees('I compared it, it is the same');
  alice.says('');
  alice.says('/away');
  await alice.sees('away: nothing is marked');
  await bobby.says('alice', 'while away');
  await alice.sees('@bobby: while away');
  t.equal((await user.ask('status'))[0]?.['unread'], 1);
  alice.says('/back');
  await alice.sees('* back');
  await alice.screen.until(() => alice.screen.text().match(/while away/g)?.length === 2);
  t.equal((await user.ask('status'))[0]?.['unread'], 0);
  t.notMatch(alice.screen.raw.replaceAll('\r\n', '\n'), CONTROL);
  alice.press('ctrl-c');
  t.same(await alice.screen.exited, { code: 0, signal: undefined });
}

async function firstRun(t: Test, daemon: Daemon, bobby: Guest): Promise<void> {
  const carol = await Person.sits(t, {
    network: daemon.network,
    where: daemon,
    name: 'carol',
    args: ['--plain'],
    rows: 60,
  });
  await carol.sees('your name: @');
  carol.says('carol');
  await carol.sees('password: ');
  carol.types(`${carol.password}\r`, true);
  await carol.sees('again: ');
  carol.types(`${carol.password}\r`, true);
  await carol.sees('words: ');
  carol.types('apple river stone\r', true);
  await carol.sees('I noted them');
  carol.press('enter');
  await carol.sees('Enter: later');
  carol.press('enter');
  await carol.sees('/help shows all commands');
  t.notMatch(carol.screen.raw, carol.password);
  await bobby.core.call('add', { name: 'carol' });
  await carol.sees('@bobby asks to talk with you');
  await carol.sees('/accept');
  carol.says('/accept @bobby');
  await carol.sees('accepted @bobby: you can talk now');
  carol.says('glad to');
  await bobby.hears('glad to');
  carol.says('/quit');
  t.same(await carol.screen.exited, { code: 0, signal: undefined });
  t.notOk(carol.screen.raw.includes('\x1b[?1049h'));

  const again = carol.again();
  await again.sees('password: ');
  carol.types(`${carol.password}\r`, true);
  await again.sees('words: ');
  carol.types('apple river stone\r', true);
  await again.sees('— @bobby —');
  carol.press('ctrl-c');
  t.same(await again.exited, { code: 0, signal: undefined });
}

void test('line by line', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network, args: lavishArgs });
  const bobby = await Guest.comes(t, daemon, 'bobby', true);
  await t.test('a conversation', (t1) => conversation(t1, daemon, bobby));
  await t.test('from nothing on', (t1) => firstRun(t1, daemon, bobby));
});
