/** Case 15 on the screen: what others send, and what a terminal sends unasked, is text or nothing. */
import { setTimeout as delay } from 'node:timers/promises';
import tap, { test } from 'tap';
import type { Screen } from '../support/screen.js';
import { Seats } from '../support/seats.js';

/** Columns of the list at 100 columns, and where its border stands. */
const BORDER = 25;
/** More than all of it fills. */
const PAGES = 170;
/** Longer than a sequence is waited for, in ms. */
const PAUSE_MS = 700;
/** Of a text that is typed, at most. */
const INPUT_ROWS = 6;

/** Sequences that this program has a use for, at all; others' would be of other kinds. */
const own =
  // eslint-disable-next-line no-control-regex -- what the terminal was sent
  /\u001b(?:\[[\d;]*[mHCJKr]|\[\?(?:25|1004|1049|2004|2026)[hl]|\[2[23];2t|[78]|\]2;(?:\(\d+\) )?Cadenas\u0007)/g;
// eslint-disable-next-line no-control-regex -- what must not be there
const harmful = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** Of all that was written, what is no sequence of this program; empty where nobody else had a word. */
function foreign(raw: string): string {
  return harmful.exec(raw.replaceAll(own, ''))?.[0] ?? '';
}

/** The frame around what was said is where it belongs: list, border, title, status and input. */
function frameProblems(screen: Screen, inputRows = 1): string[] {
  const problems: string[] = [];
  const rows = Array.from({ length: screen.rows }, (_, y) => screen.line(y));
  const status = rows.findIndex((row) => row.startsWith(' @alice │ ● online'));
  if (status < screen.rows - 1 - inputRows || status === screen.rows - 1) problems.push(`status in ${String(status)}`);
  for (let y = 0; y < status; y++) {
    const { chars, width } = screen.cell(BORDER, y);
    if (chars !== '│' || width !== 1) problems.push(`row ${String(y)} has ${JSON.stringify(chars)} for a border`);
  }
  const list = rows.slice(0, status).map((row) => row.slice(0, BORDER).trimEnd());
  if (!/^1[ *]@bobby( +1)?\|2 home\|*$/.test(list.join('|'))) problems.push(`the list is ${list.join('|')}`);
  if (!rows[0]?.startsWith(' @bobby — end-to-end encrypted', BORDER + 1)) problems.push('title');
  if (!rows[status + 1]?.startsWith('@bobby>')) problems.push('input');
  return problems;
}

const texts: Readonly<Record<string, string>> = {
  sequences: '\u001b[2J\u001b[31mred\u001b[1;1Hhome\u001bc\u001b[?1049l\u001b[999D\u001b[8m\u001b#8\u001b(0',
  'C1 controls': '\u009b2J\u009d0;owned\u009c\u0090q\u0085\u0084',
  'clipboard, title, links':
    '\u001b]52;c;b3duZWQ=\u0007\u001b]0;owned\u0007\u001b]8;;http://x/\u001b\\link\u001b]8;;\u001b\\',
  'single controls': '\r@alice: forged\b\b\b\u000b\u000c\u000e\u000f\u0005\u0007\u007f',
  directions: '\u202e\u2066gnp.exe\u2069 \u200f\u061c\u200e שלום \u202dcba',
  tags: '{red-fg}{bold}{right}tags{/} %{escape} {open}{close} {|}',
  zalgo: `z${'\u0300\u0310\u0336\u0488'.repeat(200)}algo`,
  pictures: '👩‍👩‍👧‍👦 👨🏽‍💻 🏳️‍🌈 🇪🇺🇺🇳🇦 ❤️ 1️⃣ \u{e0067}\u{e007f} ﷽ 🧑‍🧑‍🧑‍🧑',
  'wide at the edge': '字'.repeat(300),
  'joined without end': `a${'\u200d👩'.repeat(2_000)}`,
  'a single word': 'w'.repeat(65_000),
  'empty lines': `top${'\n'.repeat(2_000)}bottom`,
  'another message': 'x\n20:00 @alice: I owe you 100 ✓✓\n· @bobby asks to talk with you.  Alt-Y: accept\n──── new ────',
  'our own words': '! THE KEYS OF @bobby CHANGED: nothing is sent to them until you decide. /verify',
};

let cast: Promise<Seats> | undefined;

void test('case 15: hostile texts', async (t) => {
  const seats = await (cast ??= Seats.make(tap));
  const screen = await seats.talks(t, { columns: 100, rows: 30 });

  for (const [what, text] of Object.entries(texts)) {
    const end = `end of ${what}`;
    const sent = await seats.bobby.command(['send', '@alice', '-'], `${text}\n${end}`);
    t.ok(sent.code === 0, `${what}: it is sent ${sent.err}`);
    await screen.sees(end);
    t.same(frameProblems(screen), [], `${what}: the frame stands`);
    const from = screen.line(28 - 1).slice(BORDER + 1);
    t.ok(from.startsWith(' '.repeat(8)), `${what}: no line begins as a message does`);
    screen.type(`${what}?\r`);
    await screen.sees(new RegExp(`@alice: ${what}\\? +(✓✓|read)`));
    t.same(frameProblems(screen), [], `${what}: and with an answer`);
    const marks = screen.line(27).replace(/^.*\? +/, '');
    t.match(marks, /^(✓✓|read)/);
  }
  t.equal(foreign(screen.raw), '', 'no control byte of theirs was written');
  t.same(
    screen.osc.filter(({ code, data }) => code !== 2 || !/^(?:\(\d+\) )?Cadenas$/.test(data)),
    [],
    'title and clipboard are untouched',
  );
  t.equal(screen.bells, 0);

  await t.test('scrolled through from end to beginning', async (t) => {
    const problems = new Set<string>();
    let last = '';
    for (let page = 0; page < PAGES; page++) {
      screen.press('pgup');
      screen.press('ctrl-u');
      screen.type(String(page));
      await screen.until((one) => one.line(29).trimEnd() === `@bobby> ${String(page)}`, `page ${String(page)}`);
      for (const problem of frameProblems(screen)) problems.add(problem);
      last = screen.text();
    }
    t.match(last, /@bobby asks to talk with you: \/accept/, 'it went through all of it');
    t.same([...problems], []);
    t.equal(foreign(screen.raw), '');
    screen.type('\u001b[1;3F'); // Alt-End
    await screen.sees('end of our own words');
  });

  await t.test('pasted into the line', async (t) => {
    for (const [what, text] of Object.entries(texts)) {
      screen.paste(text.replaceAll('\u001b', '').slice(0, 3_000));
      screen.press('ctrl-l');
      screen.type('~');
      await screen.sees('~');
      t.same(frameProblems(screen, INPUT_ROWS), [], what);
      screen.press('ctrl-c');
      await screen.until((one) => one.line(29).trim() === '@bobby>', `${what}: the line to be empty`);
    }
    screen.paste('one\ntwo\n/quit\n');
    await screen.sees('/quit');
    screen.press('ctrl-c');
    screen.type('asked\r');
    await screen.sees(/@alice: asked +(✓✓|read)/);
    t.notMatch(screen.text(), /@alice: (one|.*quit)/, 'a paste is not sent by itself');
    t.equal(foreign(screen.raw), '');
  });

  await t.test('noise of a terminal', async (t) => {
    const noise = [
      '\u001b[<0;10;10M\u001b[<0;10;10m\u001b[M !!\u001b[35;10;10M',
      '\u001b[?62;22;52c\u001b[>1;4000;29c\u001b[24;80R\u001b[1;1R\u001b[0n\u001b[?2026;2$y',
      '\u001b]11;rgb:0000/0000/0000\u001b\\\u001b]52;c;b3duZWQ=\u0007\u001b]10;rgb:ff/ff/ff\u0007',
      '\u001bP>|xterm(370)\u001b\\\u001bP1+r544e=78\u001b\\\u001b_Gi=1;OK\u001b\\',
      '\u001b[O\u001b[I\u001b[?997;1n\u001b[8;30;100t',
    ];
    for (const bytes of noise) screen.type(bytes);
    for (const byte of Buffer.from('ž字👩')) screen.type(Uint8Array.of(byte));
    await screen.sees('@bobby> ž字👩');
    for (const byte of Buffer.from(noise.join(''))) screen.type(Uint8Array.of(byte));
    screen.type('!');
    await screen.sees('@bobby> ž字👩!');
    screen.type('\u001b[38;5');
    await delay(PAUSE_MS);
    screen.type('x');
    await screen.sees('@bobby> ž字👩!x');
    screen.press('ctrl-c');
    screen.type('after\r');
    await screen.sees(/@alice: after +(✓✓|read)/);
    t.same(frameProblems(screen), []);
  });
});

void test('what a terminal can do', async (t) => {
  const seats = await (cast ??= Seats.make(tap));
  // eslint-disable-next-line no-control-regex -- what the terminal was sent
  const coloured = /\u001b\[[\d;]*\b(?:3\d|4[0-8]|9\d|10\d)(?:;[\d;]*)?m/;

  const screen = await seats.talks(t);
  t.match(screen.raw, coloured, 'there are colours');
  for (const options of [{ env: { NO_COLOR: '1' } }, { args: ['--no-color'] }]) {
    const mono = await seats.talks(t, options);
    mono.press('f1');
    await mono.sees('Commands and keys');
    t.notMatch(mono.raw, coloured, `none with ${JSON.stringify(options)}`);
    await mono.close();
  }
  await screen.close();

  const dumb = seats.open(t, { env: { TERM: 'dumb' } });
  await dumb.sees('/help shows all commands');
  dumb.type('/query @bobby\r');
  await dumb.sees('— @bobby —');
  dumb.type('/quit\r');
  t.same(await dumb.exited, { code: 0, signal: undefined });
  t.notOk(dumb.raw.includes('\u001b'), 'a dumb terminal gets no sequences');

  const { code, err } = await seats.alice.command([]); // without a terminal
  t.equal(code, 1);
  t.match(err, /no command/);
});
