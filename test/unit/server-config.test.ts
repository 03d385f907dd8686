/** The configuration file: what it may say, and what is told of a mistake in it. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { daemonSchema, daemonSettings, parseConfig } from '../../src/server/config.js';
import { defaultFile, readTomlFile } from '../../src/settings/index.js';
import { root } from '../support/temp.js';

const mail = ['[mail]', 'host = "mail.example"', 'sender = "chat@mail.example"'];
const readConfig = (path: string) => daemonSettings({ file: readTomlFile(path) });
const read = (...lines: readonly string[]) => parseConfig(lines.join('\n'), '/etc/net.toml');

test('an empty file says nothing, and each table and key has its meaning', (t) => {
  t.same(parseConfig('', 'f'), daemonSettings({}));
  t.same(read('[registration]'), daemonSettings({}));
  t.equal(read('registration.who = "closed"').values.registration.who, 'closed');
  t.match(read('[limits]', 'mails-per-hour = 7', 'window = 65535').limits, { 'mails-per-hour': 7, window: 65535 });
  const least = { host: 'mail.example', sender: 'chat@mail.example', tls: 'tls', port: 465, timeout: 15 };
  const nothing = { user: undefined, passwordFile: undefined, caFile: undefined };
  t.same(read(...mail).mail, { ...least, ...nothing });
  t.equal(read(...mail, 'tls = "starttls"').mail?.port, 587);
  t.match(read(...mail, 'port = 2525', 'timeout = 3').mail, { port: 2525, timeout: 3 });
  const more = ['user = "chat"', 'password-file = "secret"', 'ca-file = "/etc/ca.pem"'];
  t.match(read(...mail, ...more).mail, { user: 'chat', passwordFile: '/etc/secret', caFile: '/etc/ca.pem' });
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
    t.equal(read('[mail]', `host = "${host}"`, 'sender = "a@b.cd"', 'tls = "none"').mail?.port, 25);
  t.end();
});

test('a mistake is one line, with the place and what was meant', (t) => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ['', '[registration]', 'colour = "red"'],
      /^\/etc\/net\.toml:3: \[registration\] has no colour — it may be one of: who$/,
    ],
    [
      ['[registration]', 'who = "nobody"'],
      /:2: who in \[registration\] can't be this — write "open", "invitation" or "closed"$/,
    ],
    [['[registration]', 'who = true'], /:2: who in/],
    [['[registratoin]'], /:1: there is no table or key registratoin — did you mean "registration"\?$/],
    [['[[mail]]'], /:1: mail is a table — write \[mail\] and its keys below$/],
    [['mail = 1'], /:1: mail is a table/],
    [['registration = 2020-01-01'], /:1: registration is a table — write \[registration\] and its keys below$/],
    [['limits = 12:00:00'], /:1: limits is a table/],
    [
      ['colour = "red"'],
      /:1: there is no table or key colour — it may be one of: daemon, tls, clients, registration, log, metrics, mail, limits$/,
    ],
    [[...mail, 'hots = "x"'], /:4: \[mail\] has no hots — did you mean "host"\?$/],
    [[...mail, 'password = "x"'], /:4: \[mail\] has no password — did you mean "password-file"\?$/],
    [[...mail, 'port = 0'], /:4: port in \[mail\] can't be this — write a whole number from 1 to 65535$/],
    [[...mail, 'port = 1.5'], /:4: port/],
    [[...mail, 'port = "465"'], /:4: port/],
    [[...mail, 'timeout = 26'], /:4: timeout .* from 1 to 25$/],
    [[...mail, 'tls = "ssl"'], /:4: tls in \[mail\] can't be this — write "tls", "starttls" or "none"$/],
    [[...mail, 'tls = "none"'], /:4: mails to mail\.example would go without TLS — write "tls" or "starttls"$/],
    [[...mail, 'user = "x"'], /:4: user and password-file go together — give both, or neither$/],
    [
      [...mail, 'ca-file = "a\\u0000"'],
      /:4: ca-file in \[mail\] can't be this — write a path, ~ written out, in quotes$/,
    ],
    [['[mail]', 'host = "a b"', 'sender = "a@b.cd"'], /:2: host .* — write a host name or an address, in quotes$/],
    [['[mail]', 'host = "a"', 'sender = "a@b.cd\\r\\nBcc: e@f.gh"'], /:3: sender .* — write an address, in quotes$/],
    [['[mail]', 'host = "a"'], /:2: \[mail\] has no sender — add it$/],
    [['[limits]', 'windw = 5'], /:2: \[limits\] has no windw — did you mean "window"\?$/],
    [['[limits]', 'window = 0'], /:2: window in \[limits\] can't be this — write a whole number from 1 to 65535$/],
    [['[limits]', 'epoch-frames = 5'], /from 1024 to 1048576$/],
    [['[limits]', '__proto__ = 5'], /has no __proto__/],
    [['[constructor]'], /there is no table or key constructor/],
    [['[mail', 'host = 1'], /^\/etc\/net\.toml:1: this is no TOML \([^\n]+\) — mend that line$/],
    [['[limits]', 'window = 1', 'window = 2'], /:3: this is no TOML/],
    [['[limits]', 'window = 9007199254740993'], /this is no TOML|can't be this/],
    [['registration = { how = 1 }'], /^\/etc\/net\.toml: \[registration\] has no how/],
  ];
  for (const [lines, told] of wrong) {
    t.throws(() => read(...lines), { name: 'SettingMistake', message: told }, lines.at(-1) ?? '');
    t.throws(() => read(...lines), { message: /^[^\n]+$/ });
  }
  t.end();
});

test('the file itself is checked', (t) => {
  const folder = t.testdir({ good: '[registration]\nwho = "closed"\n', bytes: Buffer.from([0xff, 0xfe]) });
  const path = (name: string): string => join(folder, name);
  t.equal(readConfig(path('good')).values.registration.who, 'closed');
  symlinkSync('good', path('link'));
  t.equal(readConfig(path('link')).values.registration.who, 'closed');
  mkdirSync(path('folder'));
  writeFileSync(path('long'), '#'.repeat(65 * 1024));
  writeFileSync(path('open'), '');
  chmodSync(path('open'), 0o646);
  t.throws(() => readConfig(path('none')), /none can't be read \(ENOENT\) — check --config$/);
  t.throws(() => readConfig(path('folder')), /is not a file — check --config$/);
  t.throws(() => readConfig(path('long')), /is longer than 64 KiB/);
  t.throws(() => readConfig(path('open')), /can be written by anybody — close it with: chmod o-w/);
  t.throws(() => readConfig(path('bytes')), /is not UTF-8/);
  t.end();
});

test('where figures may be read: this machine and sockets alone', (t) => {
  const place = (typed: string) => daemonSchema.metrics.listen.read(typed);
  t.same(place('127.0.0.1:9090'), { host: '127.0.0.1', port: 9090 });
  t.same(place('127.3.2.1:0'), { host: '127.3.2.1', port: 0 });
  t.same(place('[::1]:1'), { host: '::1', port: 1 });
  t.same(place('localhost:1'), { host: 'localhost', port: 1 });
  t.same(place('unix:/run/x'), { path: '/run/x' });
  for (const text of [
    '0.0.0.0:1',
    '[::]:1',
    '10.0.0.1:1',
    'example.org:1',
    '127.0.0.1',
    '127.0.0.1:65536',
    '127.x:1',
    'unix:run',
    ':1',
    '',
  ])
    t.equal(place(text), undefined, text);
  t.end();
});

test('all defaults as a file are the defaults', (t) => {
  const file = defaultFile(daemonSchema, ['above']);
  t.same(parseConfig(file, '/etc/net.toml').values, {
    ...daemonSettings({}).values,
    daemon: { ...daemonSettings({}).values.daemon, data: '/etc/data', keys: '/etc/keys' },
  });
  for (const line of file.split('\n')) t.ok(line.length <= 110, line);
  t.end();
});

test('docs/operate.md: its example is taken as it stands', (t) => {
  const docs = readFileSync(join(root, 'docs/operate.md'), 'utf8');
  const example = /```toml\n([^]*?)```/.exec(docs)?.[1] ?? '';
  const config = parseConfig(example, '/etc/cadenas/net.toml');
  t.equal(config.values.registration.who, 'invitation');
  t.ok(config.mail?.user !== undefined && config.origins.has('limits.mails-per-hour'));
  t.end();
});
