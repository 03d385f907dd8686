/** The terminal client in windows of any size, and behind lines that are slow. */
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'tap';
import { Person } from '../support/at-screen.js';
import { newSeed, seededRandom } from '../support/random.js';
import type { Screen } from '../support/screen.js';
import { Seats } from '../support/seats.js';

const STALL_MS = 3_000;
/** Each of a whole screen: more than the terminal holds. */
const REPAINTS = 60;

const framesOf = (screen: Screen): number => screen.raw.split('\u001b[?2026h').length - 1;

/** Title, list, status and input stand where they belong, and rows are full without going on in the next. */
function isWhole(screen: Screen): boolean {
  const { columns, rows } = screen;
  const list = columns < 64 ? 0 : screen.line(0).indexOf('│') + 1;
  const border = Array.from({ length: rows - 2 }, (_, y) => screen.line(y).charAt(list - 1));
  return (
    screen.line(rows - 1).startsWith('@bobby> under way') &&
    screen.line(rows - 2).includes('@alice │ ● online') &&
    screen.line(0).slice(list).startsWith(' @bobby —') &&
    (list === 0 || border.every((character) => character === '│'))
  );
}

/** What stands on the screen, as one line, without frames. */
const joined = (screen: Screen): string =>
  screen
    .text()
    .replaceAll(/[┌─┐│└┘]/g, ' ')
    .replaceAll(/\s+/g, ' ');

/** The text of a question, scrolled line by line to its end. */
async function readDialog(screen: Screen): Promise<string> {
  await screen.sees('Esc: ');
  const lines = new Set(screen.text().split('\n'));
  while (screen.text().includes('— more')) {
    const before = screen.text();
    screen.press('down');
    await screen.until(() => screen.text() !== before, 'the text to move');
    for (const line of screen.text().split('\n')) lines.add(line);
  }
  return [...lines]
    .join(' ')
    .replaceAll(/[┌─┐│└┘]/g, ' ')
    .replaceAll(/\s+/g, ' ');
}

void test('sizes', async (t) => {
  const seats = await Seats.make(t);

  await t.test('a storm of sizes', async (t) => {
    const screen = await seats.talks(t);
    screen.type('under way');
    await screen.until(isWhole, 'the screen before');
    const seed = newSeed();
    t.comment(`seed ${String(seed)}`);
    const random = seededRandom(seed);
    const upTo = (most: number): number => 1 + Math.floor(random() * most);
    for (const [columns, rows] of [
      [40, 10],
      [20, 5],
      [1, 1],
      [300, 80],
      [2, 1],
      [1, 40],
      [120, 2],
    ] as const) {
      screen.resize(columns, rows);
      await screen.until(() => screen.text().trim() !== '', `something at ${String(columns)}×${String(rows)}`);
    }
    for (let n = 0; n < 100; n++) screen.resize(upTo(300), upTo(80));
    for (const [columns, rows] of [
      [80, 24],
      [300, 80],
      [40, 10],
      [64, 12],
      [80, 24],
    ] as const) {
      screen.resize(columns, rows);
      await screen.until(isWhole, `a whole screen at ${String(columns)}×${String(rows)}`);
    }
    screen.type(', and on');
    await screen.sees('under way, and on');
    screen.press('ctrl-c');
    await screen.gone('under way');
    screen.resize(14, 10); // to '@bobby> ' what 40 columns are to a long name
    await screen.until((one) => one.line(0).startsWith(' @bobby —'), 'a frame of this size');
    screen.type('0123456789');
    await screen.sees('9');
    t.match(screen.text().replaceAll(/\s/g, ''), '>0123456789', 'all that is typed is seen, beside whatever name');
  });

  await t.test('a terminal that is not read keeps its session', async (t) => {
    const screen = await seats.talks(t, { columns: 200, rows: 60 });
    await seats.bobby.ask('send', '@alice', `${'much to paint '.repeat(600)}until here`);
    await screen.sees('until here');
    screen.stall();
    const before = framesOf(screen);
    await seats.bobby.ask('send', '@alice', 'while nothing was read');
    for (let n = 0; n < REPAINTS; n++) {
      screen.press('ctrl-l');
      await delay(STALL_MS / REPAINTS);
    }
    screen.type('typed blindly');
    screen.flow();
    await screen.sees('@bobby> typed blindly');
    const painted = framesOf(screen) - before;
    t.ok(painted < REPAINTS, `${String(painted)} frames: the program waited, and kept none of them`);
    await screen.sees('● online');
    await screen.sees('@bobby: while nothing was read');
    screen.press('ctrl-c');
    screen.type('answered\r');
    await screen.sees(/answered +(✓✓|read)/);
    t.notMatch(seats.daemon.log(), /error/);
  });

  for (const [columns, rows] of [
    [80, 24],
    [40, 10],
  ] as const)
    await t.test(`first run and conversation at ${String(columns)}×${String(rows)}`, async (t) => {
      const { network } = seats.daemon;
      const name = `carol_${String(columns)}`;
      const carol = await Person.sits(t, { network, where: seats.daemon, name, columns, rows });
      const seen = await readDialog(carol.screen);
      t.match(seen, 'cadenas account import FILE, or cadenas recover @name.', 'all of a question can be read');
      carol.says('x!');
      await carol.sees('is not a name');
      t.match(joined(carol.screen), 'use 3 to 32 of a-z, 0-9 and _', 'and all of what is wrong');
      t.match(carol.screen.text(), 'your name: @x!');
      carol.press('ctrl-u');
      await carol.comesIn();
      carol.says('/add bobby');
      await carol.sees('@bobby> ');
      carol.says('one two three four five six seven eight nine ten eleven twelve thirteen');
      await carol.sees('thirteen');
      await carol.screen.until((one) => one.line(rows - 1).trim() === '@bobby>', 'the text to be sent');
      t.ok(carol.screen.line(rows - 1).startsWith('@bobby> '), 'the input is in the last row');
      t.match(carol.screen.line(rows - 2), '● online');
      carol.press('f1');
      await carol.sees('Commands');
      carol.press('esc');
      await carol.screen.gone('Commands');
      await carol.quits();
    });
});
