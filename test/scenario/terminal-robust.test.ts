/** The terminal client under signals, sizes and bugs: the terminal is always handed back as it was. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'tap';
import { Person } from '../support/at-screen.js';
import { childOf, isRaw, Seats, stateOf } from '../support/seats.js';
import type { Screen } from '../support/screen.js';

/** A program whose terminal is gone ends within this, in ms. */
const GONE_MS = 2_000;

const isClean = (screen: Screen): boolean =>
  !screen.alternate && !screen.modes.bracketedPaste && !screen.modes.focus && !screen.cursor().hidden;
const isTaken = (screen: Screen): boolean => screen.alternate && screen.modes.bracketedPaste && screen.modes.focus;

/** A shell with job control: it tells when its job stops, and goes on with it at a return. */
const SHELL =
  'set -m; told() { echo "shell:$?"; read -r; clear; }; "$@"; told; fg > /dev/null; told; fg > /dev/null; told; fg > /dev/null; told';

void test('the terminal is handed back as it was', async (t) => {
  const seats = await Seats.make(t);

  await t.test('suspended by key or signal, and resumed, also in another size', async (t) => {
    const screen = await seats.talks(t, { script: SHELL });
    const pid = childOf(screen.pid);
    screen.type('a text under way');
    await screen.sees('a text under way');
    screen.press('ctrl-z');
    await screen.sees('shell:148');
    t.ok(isClean(screen), 'Ctrl-Z gives the terminal to the shell');
    t.equal(stateOf(pid), 'T');
    t.notOk(isRaw(screen.pid));
    screen.type('\r');
    await screen.sees('@bobby> a text under way');
    t.ok(isTaken(screen), 'and fg takes it again');
    t.ok(isRaw(pid));
    process.kill(pid, 'SIGTSTP');
    await screen.sees('shell:148');
    t.ok(isClean(screen), 'SIGTSTP does the same');
    screen.resize(70, 20);
    screen.type('\r');
    await screen.until(
      (one) => one.line(19).startsWith('@bobby> a text under way'),
      'the input in the last of 20 rows',
    );
    t.match(screen.line(18), '● online');
    process.kill(pid, 'SIGSTOP');
    await screen.sees('shell:147');
    screen.type('\r');
    await screen.gone('shell:147');
    await screen.sees('@bobby> a text under way');
    t.ok(isRaw(pid), 'and after SIGSTOP, which nobody is told of');
    screen.type(' and on');
    await screen.sees('@bobby> a text under way and on');
    process.kill(pid, 'SIGTERM');
    await screen.sees('shell:0');
    t.ok(isClean(screen));
  });

  await t.test('a terminal without a shell has nobody to resume it', async (t) => {
    const screen = await seats.talks(t);
    screen.press('ctrl-z');
    screen.type('still here');
    await screen.sees('@bobby> still here');
    t.ok(isTaken(screen));
    t.ok(isRaw(screen.pid));
  });

  await t.test('SIGTERM and SIGINT end it', async (t) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const screen = await seats.talks(t);
      screen.signal(signal);
      t.same(await screen.exited, { code: 0, signal: undefined });
      t.ok(isClean(screen), signal);
    }
  });

  await t.test('a closed terminal ends it, and nothing sent is lost', async (t) => {
    const ends = { 'SIGHUP alone': (one: Screen) => one.close(), 'no terminal': (one: Screen) => one.hangUp() };
    for (const [what, end] of Object.entries(ends)) {
      const screen = await seats.talks(t);
      screen.type(`the last words, ${what}\r`);
      await screen.sees(`@alice: the last words, ${what}`);
      const before = performance.now();
      await end(screen);
      const took = performance.now() - before;
      t.ok(took < GONE_MS, `${what}: it took ${took.toFixed(0)} ms`);
      t.same(await screen.exited, { code: undefined, signal: 'SIGHUP' }, 'it dies of that, as programs do');
      if (what === 'SIGHUP alone') t.ok(isClean(screen), 'the terminal may be there yet');
    }
    const { code } = await seats.alice.run('status');
    t.equal(code, 0, 'the profile is free');
    const texts = (await seats.alice.ask('history', '@bobby')).map((row) => row['text']);
    for (const what of Object.keys(ends)) t.ok(texts.includes(`the last words, ${what}`), what);
  });

  await t.test('also while a daemon does not answer', async (t) => {
    const hole = createServer();
    await once(hole.listen(0, '127.0.0.1'), 'listening');
    t.teardown(() => hole.close());
    const { port } = hole.address() as AddressInfo;
    const where = { host: '127.0.0.1', port, tls: false };
    const ends: Readonly<Record<string, (one: Screen) => void>> = {
      'Ctrl-C': (one) => one.press('ctrl-c'),
      SIGTERM: (one) => one.signal('SIGTERM'),
      'a closed terminal': (one) => void one.hangUp(),
    };
    for (const [what, end] of Object.entries(ends)) {
      const carol = await Person.sits(t, { network: seats.daemon.network, where, name: 'carol' });
      const asked = once(hole, 'connection');
      await carol.answers();
      await carol.sees('making the account @carol');
      await asked;
      const before = performance.now();
      end(carol.screen);
      await carol.screen.exited;
      const took = performance.now() - before;
      t.ok(took < GONE_MS, `${what}: it took ${took.toFixed(0)} ms`);
      t.ok(what === 'a closed terminal' || isClean(carol.screen));
    }
  });

  for (const [what, code] of [
    ['an exception', 'setTimeout(() => { throw new Error("a bug\\u001b]0;owned\\u0007 of ours"); })'],
    ['a rejection', 'void Promise.reject(new Error("a bug\\u001b]0;owned\\u0007 of ours"))'],
  ] as const)
    await t.test(`${what} that nobody takes`, async (t) => {
      const screen = await seats.talks(t, { before: `process.on("SIGUSR2", () => { ${code}; });` });
      screen.signal('SIGUSR2');
      t.same(await screen.exited, { code: 2, signal: undefined });
      t.ok(isClean(screen), 'the terminal is as it was');
      t.match(screen.text(), /Error: a bug\[U\+001B\]\]0;owned\[U\+0007\] of ours/, 'and the bug can be read');
      t.match(screen.text(), /\n {4}at /);
      t.equal((await seats.alice.run('status')).code, 0);
    });

  await t.test('Ctrl-L paints over what somebody else wrote', async (t) => {
    const screen = await seats.talks(t);
    const before = screen.text();
    screen.write('\u001b[2J\u001b[5;5Hwall: the machine goes down');
    screen.press('ctrl-l');
    await screen.gone('wall:');
    await screen.sees('● online');
    t.equal(screen.text(), before);
  });
});
