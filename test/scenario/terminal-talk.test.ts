/** What is said at the terminal, and what comes while nobody looks: the linked program against a real daemon. */
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import type { Person } from '../support/at-screen.js';
import { Guest, sitsDown } from '../support/at-table.js';
import type { CliUser } from '../support/cli.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { lavishArgs } from '../support/lavish.js';
import { temporaryFolder } from '../support/temp.js';

interface Lab {
  daemon: Daemon;
  readonly alice: CliUser;
  readonly bobby: Guest;
  readonly carol: Guest;
  readonly screen: Person;
  readonly folder: string;
}

const unreadOutside = async (alice: CliUser): Promise<unknown> => (await alice.ask('status'))[0]?.['unread'];

/** Of the list at the left. */
const listed = ({ screen }: Person): string[] =>
  Array.from({ length: 6 }, (_, y) => screen.line(y).slice(0, 25).trim()).filter((line) => /[@#h]/.test(line));

async function goes(person: Person, name: string): Promise<void> {
  person.says(`/query @${name}`);
  await person.sees(new RegExp(`│ @${name} — `));
}

async function unread(t: Test, { alice, bobby, carol, screen }: Lab): Promise<void> {
  await goes(screen, 'bobby');
  await carol.says('alice', 'c one', 'c two');
  await screen.sees(/1\*@carol +2/);
  t.match(listed(screen)[0], /^1\*@carol +2│?$/, 'who wrote stands first');
  await screen.sees('1:@carol(2)');
  screen.press('alt-a');
  await screen.sees(/─ new ─+ *\n.*@carol: c one.*\n.*@carol: c two/);
  await screen.gone(/@carol +2/);
  t.equal(await unreadOutside(alice), 0);

  await bobby.says('alice', ...Array.from({ length: 60 }, (_, n) => `b ${String(n + 1)}.`));
  await screen.sees(/\*@bobby +60/);
  screen.press('alt-a');
  await screen.sees(/─ new ─/);
  await screen.sees('@bobby: b 1.');
  t.notMatch(screen.screen.text(), 'b 30.');
  await screen.sees(/@bobby +3\d/);
  const left = Number(/@bobby +(\d+)/.exec(screen.screen.text())?.[1]);
  t.ok(left > 30 && left < 40, `${String(left)} were not on the screen`);
  t.equal(await unreadOutside(alice), left);
  screen.press('alt-end');
  await screen.sees('b 60.');
  screen.press('pgup');
  await screen.gone(/@bobby +\d/);
  t.equal(await unreadOutside(alice), 0);
}

async function notLooking(t: Test, { alice, bobby, carol, screen }: Lab): Promise<void> {
  await goes(screen, 'bobby');
  const before = screen.screen.bells;
  await bobby.says('alice', 'while you look');
  await screen.sees('while you look');
  t.equal(screen.screen.bells, before, 'nothing rings where one looks');
  screen.screen.focus(false);
  const count = screen.screen.osc.length;
  const begun = performance.now();
  await bobby.says('alice', ...Array.from({ length: 40 }, (_, n) => `unseen ${String(n + 1)}.`));
  await carol.says('alice', 'unseen of carol');
  await screen.sees(/\d:@carol\(1\)/); // first or second: both may have come in one millisecond
  const rang = screen.screen.bells - before;
  const most = 1 + Math.floor((performance.now() - begun) / 2_000);
  t.ok(rang >= 1 && rang <= most, `one bell for all within 2 s: ${String(rang)} of ${String(most)}`);
  const told = screen.screen.osc.slice(count).filter(({ code }) => code === 9);
  t.equal(told.length, rang);
  t.notMatch(JSON.stringify(told), /unseen|bobby|carol/);
  t.equal(await unreadOutside(alice), 41, 'nothing is marked as read');
  screen.screen.focus(true);
  await screen.sees(/─ new ─+ *\n.*@bobby: unseen 1\./);
  const seen = Number(await unreadOutside(alice));
  t.ok(seen > 10 && seen < 41, `${String(seen)} are still unread`);
  screen.press('alt-end');
  await screen.sees('unseen 40.');

  screen.says('/away at lunch');
  await screen.sees('away: at lunch');
  const before2 = Number(await unreadOutside(alice));
  await bobby.says('alice', ...Array.from({ length: 40 }, (_, n) => `away ${String(n + 1)}.`));
  await screen.sees('@bobby: away 40.');
  t.equal(await unreadOutside(alice), before2 + 40, 'nothing is marked as read');
  t.equal(screen.screen.bells, before + rang, 'nothing rings while one is away');
  screen.press('pgup', 'pgup');
  screen.says('/back');
  await screen.sees(/─ new ─/);
  await screen.gone('away: at lunch');
  await screen.gone('away 40.');
  screen.press('alt-end');
}

async function typing(t: Test, { bobby, carol, screen }: Lab): Promise<void> {
  await goes(screen, 'bobby');
  /* All in one piece, as fast hands or a slow line have it. */
  screen.types('a secret for bobby :smile:\rand one more\r/query @carol\rfor carol\r');
  await bobby.hears('and one more');
  await carol.hears('for carol');
  t.same(bobby.texts, ['a secret for bobby 😄', 'and one more'], 'in the order in which they were typed');
  await screen.sees(/@alice: for carol +(✓|read)/);

  screen.says('/quary @bobby');
  await screen.sees('there is no command /quary: nothing was sent');
  await screen.sees('@carol> /quary @bobby');
  screen.press('ctrl-c');
  await screen.gone('@carol> /quary');
  screen.press('ctrl-y');
  await screen.sees('@carol> /quary @bobby');
  screen.press('ctrl-u');
  await screen.sees(/@carol>\s*$/);
  screen.types('a draft for carol');
  screen.press('ctrl-n');
  await screen.gone('a draft for carol');
  screen.press('ctrl-p');
  await screen.sees('@carol> a draft for carol');
  screen.press('ctrl-c');
  screen.says('//quary is no command');
  await carol.hears('/quary is no command');
  screen.says('/me waves');
  await carol.hears('/me waves');
  await screen.sees('* @alice waves');
  screen.says('/msg @bobby from over here');
  await bobby.hears('from over here');
  await screen.sees('sent to @bobby');
  screen.press('up', 'up');
  await screen.sees('@carol> /me waves');
  screen.press('ctrl-c', 'ctrl-r');
  screen.types('secret for');
  await screen.sees(/a secret for bobby/);
  screen.press('esc');
  await screen.gone('search in what you typed');
  await screen.sees(/@carol>\s*$/);
  screen.types('/que');
  screen.press('tab');
  await screen.sees('> /query ');
  screen.types('@bo');
  screen.press('tab');
  await screen.sees('> /query @bobby');
  screen.press('enter');
  await screen.sees('│ @bobby — ');
  screen.types('well :rocke');
  screen.press('tab');
  await screen.sees('@bobby> well 🚀');
  screen.press('ctrl-c');
  screen.says('/whois');
  await screen.sees(/@bobby {2}contact; keys ([0-9a-f]{4} ){3}/);
  screen.says('/list');
  await screen.sees(/@carol {2}contact/);
}

async function files({ bobby, screen, folder }: Lab): Promise<void> {
  await goes(screen, 'bobby');
  await writeFile(join(folder, 'text'), '  indented\n/quit is no command here\n');
  screen.says(`/sendfile ${join(folder, 'text')}`);
  await bobby.hears('  indented\n/quit is no command here');
  await writeFile(join(folder, 'binary'), Buffer.from([0xff, 0xfe, 0, 1]));
  await writeFile(join(folder, 'long'), 'x'.repeat(70 * 1024));
  await writeFile(join(folder, 'empty'), '');
  execFileSync('mkfifo', [join(folder, 'fifo')]);
  for (const [name, says] of [
    ['nowhere', /can't be read \(ENOENT\)/],
    ['.', /is no file/],
    ['fifo', /is no file/],
    ['binary', /is no text/],
    ['long', /has 71680 bytes/],
    ['empty', /the text is empty/],
  ] as const) {
    screen.says(`/sendfile ${join(folder, name)}`);
    await screen.sees(says);
    await screen.sees('@bobby> /sendfile');
    screen.press('ctrl-c');
    screen.says('/clear');
    await screen.gone(says);
  }
}

async function searching(t: Test, { bobby, carol, screen }: Lab): Promise<void> {
  await goes(screen, 'carol');
  const family = 'family: 👩‍👩‍👧 done';
  await carol.says(
    'alice',
    'the needle of long ago',
    ...Array.from({ length: 320 }, (_, n) => `hay ${String(n)}`),
    family,
  );
  await screen.sees('done');
  screen.says('/copy');
  await screen.sees('copied');
  const copied = screen.screen.osc.find(({ code }) => code === 52)?.data.replace(/^c;/, '') ?? '';
  t.equal(Buffer.from(copied, 'base64').toString(), family);
  await screen.quits();
  screen.again();
  await screen.sees('● online');
  await goes(screen, 'carol');
  await screen.sees('done');
  screen.says('/search NEEDLE of');
  await screen.sees('the needle of long ago');
  await screen.sees('more below: Alt-End');
  screen.press('alt-end');
  await screen.sees('done');
  screen.says('/search');
  await screen.sees('no older place holds it');
  screen.says('/search nothing of the kind');
  await screen.sees('nothing here holds nothing of the kind');
  screen.says('/clear');
  await screen.gone('hay');
  await carol.says('alice', 'after it was cleared');
  await screen.sees('after it was cleared');
  await bobby.says('alice', 'x');
  screen.press('pgup');
  await screen.sees('hay 319');
}

async function outside(t: Test, { alice, bobby, screen }: Lab): Promise<void> {
  await goes(screen, 'bobby');
  await alice.ask('send', '@bobby', 'from a script');
  await bobby.hears('from a script');
  await screen.sees(/@alice: from a script +(✓|read)/);
  await alice.ask('add', '@dave');
  await screen.sees(/\d @dave/);
  screen.press('ctrl-k');
  await screen.sees('Go to');
  screen.types('dav');
  screen.press('enter');
  await screen.sees('asked, not answered yet');
  await screen.quits();

  await alice.ask('login');
  screen.again();
  await screen.sees('● online');
  await goes(screen, 'bobby');
  t.notMatch(screen.screen.raw, 'password:', 'the session that is there asks for nothing');
  await alice.ask('logout');
  await screen.sees('the session is over — log in again');
  t.notMatch(screen.screen.text(), 'cadenas login', 'it is asked for here');
  await screen.screen.close();
}

async function offline(t: Test, { daemon, bobby, screen }: Lab): Promise<void> {
  await daemon.stop();
  screen.again();
  await screen.sees('○ ');
  await goes(screen, 'bobby');
  screen.says('while nobody answers');
  await screen.sees(/@alice: while nobody answers +…/);
  await screen.sees('outbox 1');
  await screen.quits();
  screen.again();
  await screen.sees('outbox 1');
  await goes(screen, 'bobby');
  await screen.sees(/@alice: while nobody answers +…/);
  await startDaemon(t, { network: daemon.network, data: daemon.data, port: daemon.port, args: lavishArgs });
  await bobby.hears('while nobody answers');
  await screen.sees('● online');
  await screen.sees(/@alice: while nobody answers +(✓|read)/);
  await screen.gone('outbox');
}

void test('what is said at the terminal', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network, args: lavishArgs });
  const [bobby, carol] = await Promise.all(['bobby', 'carol', 'dave'].map((name) => Guest.comes(t, daemon, name)));
  if (!bobby || !carol) throw new Error('nobody there');
  const { user: alice, person: screen } = await sitsDown(t, daemon, 'alice', [bobby, carol]);
  await screen.sees('● online');
  const lab: Lab = { daemon, alice, bobby, carol, screen, folder: await temporaryFolder(t) };
  await t.test('unread', (t1) => unread(t1, lab));
  await t.test('nobody looks', (t1) => notLooking(t1, lab));
  await t.test('what is typed', (t1) => typing(t1, lab));
  await t.test('files', () => files(lab));
  await t.test('search, copy, clear', (t1) => searching(t1, lab));
  await t.test('other processes of the profile', (t1) => outside(t1, lab));
  await t.test('offline', (t1) => offline(t1, lab));
});
