/** Lines of the daemon's log: harmless in both forms, with as much of an address as may be, and at the level of the moment. */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { addressForms, shownAddress } from '../../src/ops/addresses.js';
import { goesToJournal } from '../../src/ops/journald.js';
import { makeLog, type LogOptions } from '../../src/ops/log.js';
import { temporaryFolder } from '../support/temp.js';

const time = '2026-01-02T03:04:05.006Z';
const harmful = '\u001b[2J\n\r\t\u0000\u007f\u009b\u202e\u2066\u200f\ufeff\ud800 "quoted" \\';
// eslint-disable-next-line no-control-regex -- finding control characters is the purpose
const raw = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/u;

function logOf(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const write = (line: string): void => {
    lines.push(line);
  };
  const all: LogOptions = { level: 'info', format: 'text', addresses: 'full', journald: false, ...options };
  return { log: makeLog(all, write, () => Date.parse(time)), lines };
}

const parsed = (line = ''): unknown => JSON.parse(line);

test('a text says when, how grave, what, and its fields', (t) => {
  const { log, lines } = logOf();
  log.warn('refused', { reason: 'hello stalled', total: 3, source: '192.0.2.7', half: 0.5 });
  log.info('stopped');
  t.same(lines, [
    `${time} WARN refused reason="hello stalled" total=3 source=192.0.2.7 half=0.5\n`,
    `${time} INFO stopped\n`,
  ]);
  t.end();
});

test('a line of JSON says the same', (t) => {
  const { log, lines } = logOf({ format: 'json' });
  log.error('refused', { reason: 'hello stalled', total: 3 });
  t.equal(
    lines.join(''),
    `{"time":"${time}","level":"error","message":"refused","reason":"hello stalled","total":3}\n`,
  );
  t.end();
});

test('nothing of others leaves its line, or passes for what the line itself says', (t) => {
  for (const format of ['text', 'json'] as const) {
    const { log, lines } = logOf({ format });
    log.warn(harmful, { value: harmful, source: harmful });
    log.warn('%s %d %j', { level: 'debug', time: 'never', message: 'another' });
    t.equal(lines.length, 2);
    for (const line of lines) {
      t.match(line, /^[^\n]*\n$/);
      t.notMatch(line.slice(0, -1), raw, format);
    }
    if (format === 'json') {
      t.match(parsed(lines[0]), { message: harmful, value: harmful });
      const own = { time, level: 'warn', message: '%s %d %j' };
      t.same(parsed(lines[1]), { ...own, level_: 'debug', time_: 'never', message_: 'another' });
    } else t.equal(lines[1], `${time} WARN %s %d %j level_=debug time_=never message_=another\n`);
  }
  t.end();
});

test('the journal gets a priority, and of a text no second time', (t) => {
  for (const format of ['text', 'json'] as const) {
    const { log, lines } = logOf({ format, journald: true, level: 'debug' });
    for (const level of ['error', 'warn', 'info', 'debug'] as const) log[level]('it', { n: 1 });
    t.same(
      lines.map((line) => line.slice(0, 3)),
      ['<3>', '<4>', '<6>', '<7>'],
    );
    if (format === 'text') t.equal(lines[1], '<4>WARN it n=1\n');
    else t.match(parsed(lines[1]?.slice(3)), { time, level: 'warn', n: 1 });
  }
  t.end();
});

test('whether standard error is the journal is asked of the descriptor, not of the environment alone', async (t) => {
  const fd = openSync(join(await temporaryFolder(t), 'journal'), 'w');
  const { dev, ino } = fstatSync(fd);
  const stream = `${String(dev)}:${String(ino)}`;
  t.ok(goesToJournal(stream, fd));
  for (const other of [undefined, '', `${String(dev)}:${String(ino + 1)}`, `${stream}:`, ` ${stream}`])
    t.notOk(goesToJournal(other, fd), String(other));
  t.notOk(goesToJournal(stream, 0), 'led elsewhere');
  closeSync(fd);
  t.notOk(goesToJournal(stream, 1_000_000), 'closed');
});

test('levels, and debug on and off', (t) => {
  const { log, lines } = logOf({ level: 'warn' });
  const said = (): string[] => {
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]('it');
    return lines.splice(0).map((line) => line.slice(time.length + 1, -1));
  };
  const all = ['DEBUG it', 'INFO it', 'WARN it', 'ERROR it'];
  t.same([said(), log.isDebug], [all.slice(2), false]);
  log.toggleDebug();
  t.same([said(), log.isDebug], [['WARN debug is on', ...all], true]);
  log.toggleDebug();
  t.same([said(), log.isDebug], [['WARN debug is off', ...all.slice(2)], false]);
  log.setLevel('error');
  t.same(said(), all.slice(3));
  log.toggleDebug();
  log.toggleDebug();
  t.same(said(), ['WARN debug is on', 'WARN debug is off', 'ERROR it'], 'both are seen, whatever the level');
  log.setLevel('debug');
  t.same([said(), log.isDebug], [all, true]);
  log.toggleDebug();
  t.same(said(), ['WARN debug is off', ...all.slice(1)], 'off is off, also where debug was asked for');
  log.toggleDebug();
  log.configure({ level: 'info' });
  t.same([said(), log.isDebug], [['WARN debug is on', ...all.slice(1)], false], 'a reload has the last word');
  t.end();
});

test('what is configured anew counts from the next line', (t) => {
  const { log, lines } = logOf();
  const say = (): void => {
    log.info('it', { source: '192.0.2.7', n: 1 });
  };
  say();
  log.configure({ addresses: 'short' });
  say();
  t.equal(log.address('192.0.2.7'), '192.0.2.0/24');
  log.configure({ format: 'json', addresses: 'none' });
  say();
  t.same(lines.slice(0, 2), [`${time} INFO it source=192.0.2.7 n=1\n`, `${time} INFO it source=192.0.2.0/24 n=1\n`]);
  t.same(parsed(lines[2]), { time, level: 'info', message: 'it', n: 1 });
  t.end();
});

test('as much of an address as may be', (t) => {
  const cases: Readonly<Record<string, string>> = {
    '192.0.2.255': '192.0.2.0/24',
    '2001:db8:1:2::/64': '2001:db8:1::/48',
    '0:0:0:0::/64': '0:0:0::/48',
    '': '',
    'no address': '',
    '192.0.2.1.5': '',
    '2001:db8:1:2:3:4:5:6': '',
  };
  for (const [source, short] of Object.entries(cases)) {
    t.same(
      addressForms.map((form) => shownAddress(source, form)),
      [source, short, ''],
      source,
    );
  }
  t.end();
});
