/** The terminal client as people use it: the linked program at a real pseudo-terminal, against a real daemon. */
import { generateSync } from 'otplib';
import { test } from 'tap';
import { Person } from '../support/at-screen.js';
import { makeNetwork, startDaemon } from '../support/daemon.js';

/** Budgets of keys beside secrets, names and texts, and of seconds. */
const REGISTER = { keys: 12, seconds: 25 };
const WITH_FACTOR_S = 70;
const ADD_KEYS = 5;
const BACK_S = 8;

void test('from nothing to a conversation', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network, tls: true });
  const begun = performance.now();
  const alice = await Person.sits(t, { network, where: daemon, name: 'alice' });
  await alice.comesIn();
  const seconds = (performance.now() - begun) / 1000;
  t.ok(alice.keys <= REGISTER.keys, `registering took ${String(alice.keys)} keys of ${String(REGISTER.keys)}`);
  t.ok(seconds <= REGISTER.seconds, `and ${seconds.toFixed(1)} s of ${String(REGISTER.seconds)}`);
  t.notOk(alice.screen.raw.includes(alice.password), 'the password was never on the screen');

  const bobby = await Person.sits(t, { network, where: daemon, name: 'bobby' });
  await bobby.comesIn();

  alice.keys = 0;
  alice.types('/ad');
  alice.press('tab');
  await alice.sees('/add ');
  alice.types('bobby', true);
  alice.press('enter');
  await alice.sees('asked @bobby');
  t.ok(alice.keys <= ADD_KEYS, `adding took ${String(alice.keys)} keys of ${String(ADD_KEYS)}`);
  alice.says('are you there?');
  await alice.sees(/@alice: are you there\? +…/);

  await bobby.sees('@alice asks to talk with you');
  await bobby.sees('Safety words: ');
  const shown = /Safety words: ((?:[a-z]+ ){3})/.exec(bobby.screen.text())?.[1] ?? 'none';
  bobby.keys = 0;
  bobby.press('alt-y');
  await bobby.sees('are you there?');
  t.equal(bobby.keys, 1, 'accepting took one key');
  await bobby.sees(/⏱ +60m|⏱ 59m/);
  await alice.sees(/are you there\? +(✓✓|read)/);

  bobby.says('yes, here :smile:');
  await alice.sees('@bobby: yes, here 😄');

  alice.says('/verify');
  await alice.sees('Safety number of you and @bobby: not verified');
  await alice.sees(shown.trim());
  alice.types('c', true);
  await alice.sees('verified ✓');

  await bobby.quits();
  t.notOk(bobby.screen.alternate, 'the terminal is as it was');
  alice.says('and when you are away?');
  await alice.sees(/away\? +✓ /);
  const back = performance.now();
  bobby.again();
  await bobby.unlocks();
  await bobby.sees('and when you are away?');
  const took = (performance.now() - back) / 1000;
  t.ok(took <= BACK_S, `coming back took ${took.toFixed(1)} s of ${String(BACK_S)}`);
  await alice.sees(/away\? +(✓✓|read)/);
  await alice.quits();
  t.same(await alice.screen.exited, { code: 0, signal: undefined });
});

void test('a second factor from the first run on', async (t) => {
  const network = await makeNetwork();
  const daemon = await startDaemon(t, { network, tls: true });
  const begun = performance.now();
  const carol = await Person.sits(t, { network, where: daemon, name: 'carol', columns: 80, rows: 24 });
  await carol.registers();
  carol.press('t');
  await carol.sees('Scan the picture');
  t.match(carol.screen.text(), /█▀▀▀▀▀█/, 'the picture has a place at 80×24');
  const groups = carol.screen.text().match(/(?<=\s)[A-Z2-7]{4}(?=\s)/g) ?? [];
  t.equal(groups.length, 8, 'and the secret stands beside it');
  const base32 = groups.join('');
  carol.types(generateSync({ secret: base32 }), true);
  carol.press('enter');
  await carol.sees('Recovery codes');
  t.match(carol.screen.text(), /[a-z0-9]{4}(?:-[a-z0-9]{4}){3}/);
  carol.press('enter');
  await carol.sees('● online');
  const seconds = (performance.now() - begun) / 1000;
  t.ok(seconds <= WITH_FACTOR_S, `it took ${seconds.toFixed(1)} s of ${String(WITH_FACTOR_S)}`);
  await carol.quits();
});
