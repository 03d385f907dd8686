/** People who come back to much, and people who type ahead: nothing is read unseen, nothing goes to somebody else. */
import { test, type Test } from 'tap';
import type { Person } from '../support/at-screen.js';
import { Guest, sitsDown } from '../support/at-table.js';
import type { CliUser } from '../support/cli.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';
import { lavishArgs } from '../support/lavish.js';

interface Lab {
  readonly user: CliUser;
  readonly screen: Person;
  readonly bobby: Guest;
  readonly carol: Guest;
}

const unreadOutside = async (user: CliUser): Promise<unknown> => (await user.ask('status'))[0]?.['unread'];

async function comesBack(t: Test, { user, screen, bobby }: Lab): Promise<void> {
  screen.says('/query @bobby');
  await screen.sees('@bobby> ');
  await bobby.says('alice', 'seen before');
  await screen.sees('seen before');
  await screen.quits();
  await bobby.says('alice', ...Array.from({ length: 60 }, (_, n) => `while away ${String(n + 1)}.`));
  screen.again();
  await screen.sees(/─ new ─+ *\n.*@bobby: while away 1\./);
  t.notMatch(screen.screen.text(), 'while away 60.', 'it begins where one left off');
  await screen.sees(/@bobby +[34]\d│/);
  const left = Number(/@bobby +(\d+)/.exec(screen.screen.text())?.[1]);
  t.ok(left > 20 && left < 50, `${String(left)} were not on the screen`);
  t.equal(await unreadOutside(user), left, 'and are not read');
  screen.press('alt-end');
  await screen.sees('while away 60.');
  screen.press('pgup');
  await screen.screen.gone('while away 60.');
  screen.press('pgup');
  await screen.sees('seen before');
  await screen.screen.gone(/@bobby +\d+│/);
}

async function typesAhead(t: Test, { screen, bobby, carol }: Lab): Promise<void> {
  screen.says('/query @bobby');
  await screen.sees('@bobby> ');
  screen.types('/add @dave_\rfor nobody at all\r');
  await screen.sees('nobody is called @dave_');
  screen.press('ctrl-u');
  screen.types('/room create #fresh invite-only\rmeant for the room\r');
  await screen.sees('#fresh> ');
  await screen.sees(/@alice: meant for the room/);
  screen.types('/query @carol\rmeant for carol\r');
  await carol.hears('meant for carol');
  t.notOk(
    bobby.texts.some((text) => text.startsWith('meant')),
    'he got nothing of it',
  );
  screen.types('\u001b/query @bobby\r');
  await screen.sees('@bobby> ');
  t.notOk(
    carol.texts.some((text) => text.startsWith('query')),
    'Esc and a slash are these, however close they come',
  );
  screen.types('  /nonsens\r');
  await screen.sees('there is no command /nonsens');
  screen.types('/lits\r');
  await screen.sees('Did you mean /list?');
}

async function finds({ screen }: Lab): Promise<void> {
  screen.press('ctrl-k');
  await screen.sees('› ');
  screen.types('ar');
  await screen.sees('› @carol');
  await screen.screen.until((now) => !/[›│] +@bobby/.test(now.text().slice(now.text().indexOf('Go to'))));
  screen.press('enter');
  await screen.sees('@carol> ');
  screen.press('ctrl-k');
  await screen.sees('› ');
  screen.types('@');
  await screen.sees(/› @\w+/);
  screen.press('down');
  await screen.sees(/ {2}@\w+[^]*› @\w+/);
  screen.types('zzz');
  await screen.screen.gone('› @');
  screen.press('enter');
  await screen.sees('nobody is called so');
  screen.press('esc');
  await screen.screen.gone('Go to');
}

void test('in a hurry', async (t) => {
  const daemon = await startDaemon(t, { network: await makeNetwork(), args: lavishArgs });
  const [bobby, carol] = [await Guest.comes(t, daemon, 'bobby'), await Guest.comes(t, daemon, 'carol')];
  const { user, person } = await sitsDown(t, daemon, 'alice', [bobby, carol]);
  const lab = { user, screen: person, bobby, carol };
  await t.test('coming back to many texts', (t1) => comesBack(t1, lab));
  await t.test('typing ahead of what a command does', (t1) => typesAhead(t1, lab));
  await t.test('finding somebody', () => finds(lab));
});
