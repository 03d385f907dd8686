/** The pseudo-terminal that tests of full-screen programs use, driven with small real programs. */
import { statSync } from 'node:fs';
import { test, type Test } from 'tap';
import { keyBytes } from '../support/keys.js';
import { Screen, type ScreenOptions } from '../support/screen.js';

const SHORT_MS = 200;

/** `show` writes, and what is typed is shown as JSON when `echo` was called. */
const PRELUDE = `
  const show = (text) => process.stdout.write(text);
  const echo = () => {
    process.stdin.setRawMode(true);
    process.stdin.on('data', (data) => show(JSON.stringify(data.toString()) + '\\r\\n'));
    show('ready\\r\\n');
  };
`;

function node(t: Test, program: string, options: Partial<ScreenOptions> = {}): Screen {
  return Screen.open(t, { command: process.execPath, args: ['-e', PRELUDE + program], ...options });
}

function bash(t: Test, script: string, options: Partial<ScreenOptions> = {}): Screen {
  return Screen.open(t, { command: 'bash', args: ['--norc', '--noprofile', '-c', script], ...options });
}

test('what is seen: text, lines, cells, cursor', async (t) => {
  const screen = node(
    t,
    `show('plain \\x1b[1;38;5;208;44mbold\\x1b[0m \\x1b[2;3;4;7;8;9;38;2;1;2;255mall\\x1b[0m\\r\\n日本e\\u0301 🐴\\r\\n');
     // Each byte in a write of its own, so that no character comes in one piece.
     for (const byte of Buffer.from('é日🐴')) require('fs').writeSync(1, Buffer.of(byte));
     show('\\x1b[?25l');
     setInterval(() => {}, 1000);`,
    { columns: 40, rows: 5 },
  );
  await screen.until((seen) => seen.text().includes('é日🐴') && seen.cursor().hidden);
  t.equal(screen.text(), 'plain bold all\n日本e\u0301 🐴\né日🐴\n\n');
  t.equal(screen.line(0), 'plain bold all');
  t.match(screen.cursor(), { x: 5, y: 2, hidden: true });
  t.match([screen.columns, screen.rows], [40, 5]);

  const usual = { bold: false, dim: false, italic: false, underline: false, inverse: false, invisible: false };
  t.same(screen.cell(0, 0), { ...usual, strikethrough: false, chars: 'p', width: 1, fg: undefined, bg: undefined });
  t.match(screen.cell(6, 0), { chars: 'b', bold: true, fg: 208, bg: 4, dim: false });
  t.match(screen.cell(11, 0), { dim: true, italic: true, underline: true, inverse: true, invisible: true });
  t.match(screen.cell(11, 0), { strikethrough: true, fg: '#0102ff', bold: false });
  t.match(screen.cell(0, 1), { chars: '日', width: 2 });
  t.match(screen.cell(1, 1), { chars: '', width: 0 });
  t.match(screen.cell(4, 1), { chars: 'e\u0301', width: 1 });
  t.match(screen.cell(6, 1), { chars: '🐴', width: 2 });
  t.match(screen.cell(39, 4), { chars: ' ', width: 1 });
  for (const [x, y] of [
    [40, 0],
    [-1, 0],
    [0, 5],
    [0, -1],
  ] as const)
    t.throws(() => screen.cell(x, y), RangeError);
  t.throws(() => screen.line(5), RangeError);
});

test('the cursor is shown again by each of the ways to do so', async (t) => {
  const screen = node(t, `process.stdin.on('data', (text) => show(JSON.parse(text))); show('ready');`);
  await screen.sees('ready');
  for (const way of ['\x1b[?25h', '\x1b[?1;25h', '\x1b[!p', '\x1bc']) {
    screen.type(`${JSON.stringify('\x1b[?25l')}\r`);
    await screen.until(() => screen.cursor().hidden);
    screen.type(`${JSON.stringify(way)}\r`);
    await screen.until(() => !screen.cursor().hidden, `the cursor behind ${JSON.stringify(way)}`);
  }
});

test('what was scrolled away is not seen', async (t) => {
  const screen = bash(t, 'for i in {1..100}; do echo "row $i"; done; read', { rows: 4 });
  await screen.sees('row 100');
  t.equal(screen.text(), 'row 98\nrow 99\nrow 100\n');
});

test('typing, keys and pasting', async (t) => {
  const screen = node(
    t,
    `echo(); process.stdin.on('data', (data) => data.toString() === 'm' && show('\\x1b[?2004h\\x1b[?1h\\x1b[?1004h'))`,
  );
  await screen.sees('ready');
  const comes = async (bytes: string) => screen.sees(JSON.stringify(bytes));
  screen.type('añ日');
  await comes('añ日');
  screen.press('up');
  await comes('\x1b[A');
  screen.paste('one\r\ntwo\nthree');
  await comes('one\rtwo\rthree');
  screen.focus(false);
  t.match(screen.modes, { bracketedPaste: false, focus: false, applicationKeys: false, mouse: 'none' });

  screen.press('m');
  await screen.until(({ modes }) => modes.bracketedPaste && modes.focus && modes.applicationKeys);
  screen.press('up');
  await comes('\x1bOA');
  screen.paste('four\nfive');
  await comes('\x1b[200~four\rfive\x1b[201~');
  screen.focus(false);
  await comes('\x1b[O');
  screen.focus(true);
  await comes('\x1b[I');
  t.equal(screen.raw.split('\\u001b[O"').length, 2, 'and no focus before it was asked for');
});

test('what is pasted arrives whole, however much the program writes meanwhile', async (t) => {
  const LENGTH = 1_000_000;
  const screen = node(
    t,
    `process.stdin.setRawMode(true); show('ready');
     const hash = require('crypto').createHash('sha256');
     let length = 0;
     process.stdin.on('data', (data) => {
       hash.update(data);
       length += data.length;
       show(data);
       if (length === ${LENGTH}) show('\\x1b[2J' + hash.digest('hex'));
     });`,
  );
  await screen.sees('ready');
  const text = Array.from({ length: LENGTH }, (_, i) => String.fromCharCode(97 + ((i * 7 + (i >> 9)) % 26))).join('');
  screen.type(text);
  const { createHash } = await import('node:crypto');
  await screen.sees(createHash('sha256').update(text).digest('hex'));
});

test('the names of keys', (t) => {
  const keys: Record<string, string> = {
    a: 'a',
    '-': '-',
    日: '日',
    enter: '\r',
    esc: '\x1b',
    tab: '\t',
    'shift-tab': '\x1b[Z',
    space: ' ',
    backspace: '\x7f',
    'ctrl-k': '\x0b',
    'ctrl-c': '\x03',
    'ctrl-]': '\x1d',
    'ctrl-_': '\x1f',
    'ctrl-/': '\x1f',
    'ctrl-space': '\0',
    'alt-1': '\x1b1',
    'alt-enter': '\x1b\r',
    'alt-backspace': '\x1b\x7f',
    'alt-ctrl-k': '\x1b\x0b',
    'ctrl-alt-k': '\x1b\x0b',
    up: '\x1b[A',
    'ctrl-up': '\x1b[1;5A',
    'alt-left': '\x1b[1;3D',
    'ctrl-shift-right': '\x1b[1;6C',
    home: '\x1b[H',
    end: '\x1b[F',
    pgup: '\x1b[5~',
    'shift-pgdn': '\x1b[6;2~',
    delete: '\x1b[3~',
    insert: '\x1b[2~',
    f1: '\x1bOP',
    'shift-f1': '\x1b[1;2P',
    f5: '\x1b[15~',
    'ctrl-f12': '\x1b[24;5~',
  };
  for (const [name, bytes] of Object.entries(keys)) t.equal(keyBytes(name), bytes, name);
  t.equal(keyBytes('home', true), '\x1bOH');
  t.equal(keyBytes('ctrl-up', true), '\x1b[1;5A', 'a modifier says it all');
  for (const none of ['', 'entr', 'ctrl-1', 'ctrl-enter', 'shift-a', 'super-a'])
    t.throws(() => keyBytes(none), /no terminal/, none);
  t.end();
});

test('resizing', async (t) => {
  const screen = node(
    t,
    `process.stdout.on('resize', () => show('\\x1b[2J\\x1b[H' + process.stdout.getWindowSize().join('x')));
     show(process.stdout.getWindowSize().join('x')); setInterval(() => {}, 1000);`,
  );
  await screen.sees('80x24');
  screen.resize(33, 7);
  await screen.sees('33x7');
  t.equal(screen.text().split('\n').length, 7);
  t.match([screen.columns, screen.rows], [33, 7]);
});

test('bells, commands to the system, the alternate buffer, the mouse, answers of the terminal', async (t) => {
  const screen = node(
    t,
    `process.stdin.setRawMode(true);
     process.stdin.on('data', (data) => show(JSON.stringify(data.toString())));
     show('before\\x07\\x07\\x1b]52;c;Y29waWVk\\x07\\x1b]0;a title\\x1b\\\\\\x1b]9;news\\x07\\x1b]112\\x07\\x1b]5522;type=read\\x07');
     show('\\x1b[?1049h\\x1b[?1002h\\x1b[H\\x1b[c\\x1b[6n');`,
  );
  await screen.sees('\\u001b[?1;2c');
  await screen.sees('\\u001b[1;1R');
  t.equal(screen.bells, 2);
  t.same(screen.osc, [
    { code: 52, data: 'c;Y29waWVk' },
    { code: 0, data: 'a title' },
    { code: 9, data: 'news' },
    { code: 112, data: '' },
    { code: 5522, data: 'type=read' },
  ]);
  t.equal(screen.alternate, true);
  t.equal(screen.modes.mouse, 'drag');
  t.notMatch(screen.text(), 'before');
  t.match(screen.raw, 'before\x07\x07\x1b]52;c;Y29waWVk\x07');
});

test('waiting', async (t) => {
  const screen = node(
    t,
    `echo(); process.stdin.on('data', (data) => data.toString() === 'c' && show('\\x1b[2J\\x1b[H'))`,
    {
      deadline: SHORT_MS,
    },
  );
  await screen.sees(/^ready$/m, 20_000);
  await screen.sees(/ready/g);
  await screen.sees(/ready/g);
  await t.rejects(screen.sees('never'), /waited for to see "never", but 200 ms went by:\n\+-{80}\+\nready\n/);
  await t.rejects(screen.gone('ready'), /waited for "ready" to go, but 200 ms/);
  await t.rejects(
    screen.until((seen) => seen.bells > 0),
    /waited for \(seen\) => seen\.bells > 0, but/,
  );
  const gone = screen.gone('ready', 20_000);
  const fault = t.rejects(
    screen.until(
      () => {
        if (!screen.text().includes('ready')) throw new TypeError('planted');
        return false;
      },
      'a fault',
      20_000,
    ),
    { name: 'TypeError', message: 'planted' },
  );
  screen.type('c');
  await Promise.all([gone, fault]);
});

test('within a synchronized output nothing is seen', async (t) => {
  const screen = node(
    t,
    `process.stdin.setRawMode(true);
     process.stdin.on('data', () => show('whole\\x1b[?2026l'));
     show('\\x1b[?2026hhalf ');`,
  );
  let seen = '';
  const looking = screen.until(() => (seen = screen.text().trim()) !== '');
  await t.rejects(screen.sees('half', 2 * SHORT_MS), /went by:\n[^]*half/);
  screen.type('x');
  await looking;
  t.equal(seen, 'half whole');
});

test('a program that ends', async (t) => {
  const screen = bash(t, 'echo last words; read; exit 7');
  await screen.sees('last words');
  const never = t.rejects(
    screen.sees('never'),
    /waited for to see "never", but the program ended \(code 7\):[^]*last words/,
  );
  screen.press('enter');
  t.same(await screen.exited, { code: 7, signal: undefined });
  await never;
  await screen.sees('last words');
  await t.rejects(screen.sees('more'), /the program ended \(code 7\)/);
  t.throws(() => screen.signal('SIGTERM'), /the program ended/);
  await screen.close();
});

test('what a program wrote just before its end is there', async (t) => {
  const screen = bash(t, `head -c 3000000 /dev/zero | tr '\\0' x; echo; echo last`);
  t.same(await screen.exited, { code: 0, signal: undefined });
  t.equal(screen.raw.replaceAll(/[^x]/g, '').length, 3_000_000);
  t.match(screen.text(), 'last');
});

test('what is kept of the output has a bound', async (t) => {
  const screen = bash(t, `echo first; head -c 17000000 /dev/zero | tr '\\0' x; echo last`);
  await screen.exited;
  const { raw } = screen;
  t.ok(raw.length <= 16 * 1024 * 1024 && raw.length > 16 * 1024 * 1024 - 65_536, String(raw.length));
  t.ok(raw.endsWith('last\r\n'));
});

test('a command that is not there', async (t) => {
  const screen = Screen.open(t, { command: '/nowhere/program', args: [] });
  t.match(await screen.exited, { code: 1 });
});

test('signals, and the hangup of a closed terminal', async (t) => {
  const reacting = node(
    t,
    `for (const name of ['SIGTERM', 'SIGHUP']) process.on(name, () => { show(name); name === 'SIGHUP' && process.exit(5); });
     show('ready'); setInterval(() => {}, 1000);`,
  );
  await reacting.sees('ready');
  reacting.signal('SIGTERM');
  await reacting.sees('SIGTERM');
  await reacting.close();
  t.same(await reacting.exited, { code: 5, signal: undefined });
  t.match(reacting.raw, 'SIGHUP');

  const deaf = bash(t, `trap '' HUP; echo ready; while :; do read -t 60; done`);
  await deaf.sees('ready');
  await deaf.close();
  t.same(await deaf.exited, { code: undefined, signal: 'SIGKILL' });
});

test('the environment is what was given, and nothing of it is left', async (t) => {
  let undo: (() => unknown)[] = [];
  const screen = Screen.open(
    { teardown: (work) => undo.push(work) },
    { command: 'bash', args: ['--norc', '-c', 'env; echo done; read'], env: { GIVEN: 'yes' }, rows: 40, columns: 200 },
  );
  await screen.sees('done');
  const entries = screen
    .text()
    .split('\n')
    .flatMap((line) => (line.includes('=') ? [line.split('=', 2)] : []));
  const { HOME: home = '', ...env } = Object.fromEntries(entries) as Record<string, string>;
  t.match(env, { GIVEN: 'yes', TERM: 'xterm-256color', LANG: 'C.UTF-8', PWD: home });
  t.same(Object.keys(env).sort(), ['GIVEN', 'LANG', 'PATH', 'PWD', 'SHLVL', 'TERM', '_']);
  t.ok(statSync(home).isDirectory());

  const { pid } = screen;
  for (const work of undo.reverse()) await work();
  undo = [];
  t.throws(() => statSync(home), { code: 'ENOENT' });
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});
