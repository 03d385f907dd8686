/** A real daemon with a configuration file, a real mail server, and the command line at a terminal. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { Code, INVITATION_CODE, readTypedCode } from '../../protocol/index.js';
import { cadenasd } from '../support/cadenasd.js';
import { makeNetwork, startDaemon, type Daemon } from '../support/daemon.js';
import { connected } from '../support/people.js';
import { makeUser, registerUser } from '../support/raw.js';
import { certificateOfPost, codeIn, Post } from '../support/smtp.js';
import { temporaryFolder } from '../support/temp.js';
import { atTerminal, type Dialogue } from '../support/terminal.js';

const login = { user: 'cadenas', password: 'post horn' };
const email = 'ada.lovelace@mail.example';
const fullName = 'Ada King of Lovelace';

/** A configuration file beside the files that it names. */
async function configFor(folder: string, port: number): Promise<string> {
  const file = join(folder, 'net.toml');
  writeFileSync(join(folder, 'password'), `${login.password}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'ca.pem'), (await certificateOfPost()).certPem);
  const mail = [
    'host = "127.0.0.1"',
    `port = ${String(port)}`,
    'tls = "starttls"',
    'ca-file = "ca.pem"',
    'timeout = 5',
  ];
  const account = [`user = "${login.user}"`, 'password-file = "password"', 'sender = "chat@mail.example"'];
  const lines = ['[registration]', 'who = "invitation"', '[mail]', ...mail, ...account];
  writeFileSync(
    file,
    [...lines, '[limits]', 'mails-per-hour-per-source = 3', 'failures-per-quarter = 50', ''].join('\n'),
  );
  return file;
}

async function invite({ network }: Daemon, ...args: readonly string[]): Promise<string[]> {
  const { code, out, err } = await cadenasd(
    'invite',
    '--network',
    network.name,
    '--keys',
    network.keys,
    '--json',
    ...args,
  );
  if (code !== 0) throw new Error(err);
  const lines = out.trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { code: string }).code);
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));

/** The command line of somebody with a profile of their own. */
function person(daemon: Daemon, folder: string, name: string) {
  const where = ['--server', `${daemon.host}:${String(daemon.port)}`, '--disable-ssl', '--home', join(folder, name)];
  const secrets = join(folder, `${name}.json`);
  const words = { password: `password of ${name}`, words: 'apple river stone' };
  return (args: readonly string[], dialogue?: Dialogue, more: object = {}) => {
    writeFileSync(secrets, JSON.stringify({ ...words, ...more }), { mode: 0o600 });
    return atTerminal(daemon.network.linked, [...args, ...where, '--secrets-file', secrets], dialogue);
  };
}

/** What a raw client gets, which is made sooner. @param invitation as cadenasd invite prints it */
async function rawly(t: Test, daemon: Daemon, name: string, invitation = ''): Promise<Code> {
  const raw = await connected(t, daemon);
  const code = readTypedCode(invitation, INVITATION_CODE) ?? new Uint8Array(0);
  return (await registerUser(raw, await makeUser(name), { invitation: code })).header.code;
}

test('a registration by invitation with an address: asked for, mistyped, typed; the address is nowhere in clear', async (t) => {
  const folder = await temporaryFolder(t);
  const post = await Post.start(t, { tls: 'starttls', login });
  const config = await configFor(folder, post.port);
  const daemon = await startDaemon(t, { network: await makeNetwork(), args: ['--config', config] });
  await daemon.logged('registration=invitation mail=on');
  const [first = '', second = ''] = await invite(daemon, '--count', '2');
  const cadenas = person(daemon, folder, 'ada');
  const register = ['register', '@ada', '--email', email, '--full-name', fullName];

  const blind = await cadenas(register);
  t.match(blind, { exit: 1, out: '', err: /a code will come by mail, and there is no terminal/ });

  const shown = await cadenas(register, [
    [/by invitation alone, or none at all \(403\)[^]*Code of your invitation: /, 'abcd'],
    [/no code of an invitation[^]*Code of your invitation: /, first.toUpperCase().replaceAll('-', ' ')],
    [/A code was sent to ada\.lovelace@mail\.example; type it: /, '12345'],
    [
      /That is not the code\. Once more: /,
      async () => {
        const mail = await post.next();
        t.match(mail, { from: 'chat@mail.example', to: [email], secure: true, user: login.user });
        t.equal(mail.headers.get('subject'), 'Your code for the network test');
        t.notMatch(mail.text, /ada/i);
        return codeIn(mail);
      },
    ],
  ]);
  t.match(shown, { exit: 0, out: /registered as @ada on network test/ }, shown.err);
  t.match(await cadenas(['whoami']), { exit: 0, out: /@ada/ });

  const bob = person(daemon, folder, 'bob');
  t.match(await bob(['register', '@bob'], undefined, { invitation: second }), { exit: 0 }, 'among the secrets');
  t.equal(await rawly(t, daemon, 'late', first), Code.forbidden, 'used');

  await post.close();
  const eve = person(daemon, folder, 'eve');
  const [third = ''] = await invite(daemon);
  const failed = await eve(['register', '@eve', '--email', 'eve@mail.example', '--invitation', third], []);
  t.match(failed, { exit: 3, err: /the daemon could not send the code by mail — check the address/ });
  t.notOk(existsSync(join(folder, 'eve', 'test', 'default', 'identity')));
  t.equal(await rawly(t, daemon, 'eve', third), Code.done, 'neither name nor code is used up');

  const on = ['--network', 'test', '--data', daemon.data];
  const exported = await cadenasd('export', '@ada', ...on, '--keys', daemon.network.keys);
  t.match(JSON.parse(exported.out), { name: 'ada', told: { fullName, email } }, exported.err);
  const sealed = await cadenasd('export', '@ada', ...on, '--keys', join(folder, 'none'));
  t.match(JSON.parse(sealed.out), { name: 'ada', told: 'sealed: name the folder of the keys by --keys' });
  t.equal(await daemon.stop(), 0);
  const files = filesOf(daemon.data);
  t.ok(files.length > 4);
  for (const secret of [email, 'Lovelace', 'lovelace', first.replaceAll('-', ''), first]) {
    for (const file of files) t.notOk(readFileSync(file).includes(secret), `${secret} in ${file}`);
    t.notOk(daemon.log().includes(secret), `${secret} in the log`);
  }
  t.match(daemon.log(), /a mail was not sent error="Error: SMTP E[A-Z]+ CONN"/);
  const used = Buffer.from(readTypedCode(first, 16) ?? []);
  t.ok(
    files.some((file) => readFileSync(file).includes(used)),
    'that it was used is kept with the account',
  );
  const again = await startDaemon(t, { network: daemon.network, data: daemon.data, args: ['--config', config] });
  t.equal(await rawly(t, again, 'late', first), Code.forbidden, 'after a restart too');
});

test('cadenasd invite needs the keys alone, and says what it can’t do', async (t) => {
  const { keys } = await makeNetwork();
  const folder = await temporaryFolder(t);
  const on = ['invite', '--network', 'test', '--keys', keys];
  const people = await cadenasd(...on, '--expires', '12h');
  t.match(people, {
    code: 0,
    err: '',
    out: /^(?:[a-z2-7]{4}-){6}[a-z2-7]{2} {2}counts once, until 20\d\d-\d\d-\d\dT\d\d:00Z\n$/,
  });
  const json = JSON.parse((await cadenasd(...on, '--json')).out) as { type: string; ends: number };
  t.equal(json.type, 'invitation');
  const days = (json.ends - Date.now()) / (24 * 3600_000);
  t.ok(days > 6.99 && days < 7.05, 'a week');
  const refused = async (what: RegExp, ...args: readonly string[]): Promise<void> => {
    const { code, out, err } = await cadenasd(...args);
    t.same([code, out], [1, '']);
    t.match(err, /^cadenasd: [^\n]+ — [^\n]+\n$/);
    t.match(err, what);
  };
  await refused(
    /there are no keys of the network test in .*none/,
    'invite',
    '--network',
    'test',
    '--keys',
    join(folder, 'none'),
  );
  await refused(/write hours or days/, ...on, '--expires', '5m');
  await refused(/write hours or days/, ...on, '--expires', '367d');
  await refused(/write a number/, ...on, '--count', '0');
  t.same(readdirSync(folder), [], 'nothing is written');
});

test('a daemon whose configuration is wrong does not start, and says where', async (t) => {
  const folder = await temporaryFolder(t);
  const { keys } = await makeNetwork();
  const config = await configFor(folder, 25);
  const told = async (file: string): Promise<string> => {
    const where = ['--network', 'test', '--keys', keys, '--data', join(folder, 'data'), '--disable-ssl'];
    const { code, err } = await cadenasd(...where, '--listen', '127.0.0.1:0', '--config', file);
    t.equal(code, 1);
    t.match(err, /^cadenasd: [^\n]+\n$/);
    return err;
  };
  t.match(await told(join(folder, 'none.toml')), /none\.toml can't be read \(ENOENT\) — check --config/);
  const typo = join(folder, 'typo.toml');
  writeFileSync(typo, '[registration]\nwho = "opne"\n');
  t.match(
    await told(typo),
    /typo\.toml:2: who in \[registration\] can't be this — write "open", "invitation" or "closed"/,
  );
  const password = join(folder, 'password');
  writeFileSync(password, '', { mode: 0o600 });
  t.match(await told(config), /password holds no password — write it there/);
  writeFileSync(join(folder, 'ca.pem'), 'nothing');
  writeFileSync(password, 'x');
  t.match(await told(config), /ca\.pem is not a PEM certificate — check ca-file/);
  t.notOk(existsSync(join(folder, 'data')), 'nothing was made');
});

test('an option of the line goes before the file', async (t) => {
  const folder = await temporaryFolder(t);
  const config = join(folder, 'net.toml');
  writeFileSync(config, '[limits]\nregistrations-per-hour = 1\nrooms = 3\n');
  const args = ['--config', config, '--limit', 'registrations-per-hour=2'];
  const daemon = await startDaemon(t, { network: await makeNetwork(), args });
  await daemon.logged('registration=open mail=off');
  for (const [name, code] of [
    ['one', Code.done],
    ['two', Code.done],
    ['three', Code.limited],
  ] as const)
    t.equal(await rawly(t, daemon, name), code, name);
});
