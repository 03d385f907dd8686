/** Mail as it leaves the daemon, at real mail servers on this machine. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test, type Test } from 'tap';
import { SmtpMailer, type MailServer } from '../../src/ops/mailer.js';
import { certificateOfPost, Post, type PostOptions } from '../support/smtp.js';

const login = { user: 'cadenas', password: 'post horn' };

async function mailerAt(post: Pick<Post, 'port'>, change: Partial<MailServer> = {}): Promise<SmtpMailer> {
  return new SmtpMailer({
    host: '127.0.0.1',
    port: post.port,
    tls: 'tls',
    login,
    ca: (await certificateOfPost()).certPem,
    sender: 'chat@mail.example',
    timeout: 5_000,
    ...change,
  });
}

for (const [tls, secure] of [
  ['tls', true],
  ['starttls', true],
  ['none', false],
] as const)
  test(`a mail arrives as it was given, with tls = ${tls}`, async (t) => {
    const post = await Post.start(t, { tls, login });
    await (await mailerAt(post, { tls })).send('ada@mail.example', 'A subject', 'Some text.\nAnd more.\n');
    const mail = await post.next();
    t.match(mail, { from: 'chat@mail.example', to: ['ada@mail.example'], secure, user: 'cadenas' });
    t.equal(mail.text, 'Some text.\nAnd more.\n');
    t.equal(mail.headers.get('subject'), 'A subject');
    t.equal(mail.headers.get('to'), 'ada@mail.example');
    t.equal(mail.headers.get('auto-submitted'), 'auto-generated');
  });

test('nothing that stands in an address or a subject becomes a header or a recipient', async (t) => {
  const post = await Post.start(t);
  const mailer = await mailerAt(post, { tls: 'none', login: undefined });
  await mailer.send('ada@mail.example', 'Hello\r\nBcc: eve@mail.example', 'text');
  const mail = await post.next();
  t.notOk(mail.headers.has('bcc'));
  t.same(mail.to, ['ada@mail.example']);
  for (const to of [
    'ada@mail.example\r\nBcc: eve@mail.example',
    'ada@mail.example,eve@mail.example',
    'ada@mail.example>\r\nRCPT TO:<eve@mail.example',
    'Ada <eve@mail.example>',
    'friends:ada@mail.example,eve@mail.example;',
    '',
  ])
    await t.rejects(mailer.send(to, 'subject', 'text'), { message: 'SMTP: no address' });
  t.equal(post.waiting, 0);
});

async function failure(t: Test, how: PostOptions, change: Partial<MailServer>): Promise<string> {
  const post = await Post.start(t, how);
  const mailer = await mailerAt(post, change);
  const why = await mailer.send('ada@mail.example', 'subject', 'text').then(
    () => 'none',
    (error: unknown) => String(error),
  );
  t.equal(post.waiting, 0, 'nothing was sent');
  t.notMatch(why, /ada|mail\.example|horn|horse/, 'what failed names neither address nor password');
  return why;
}

test('what can’t be sent as it should fails, and says so without an address', async (t) => {
  t.match(await failure(t, { tls: 'tls', login }, { ca: undefined }), /ESOCKET|ETLS|SELF/, 'a certificate of nobody');
  t.match(await failure(t, { tls: 'none', login }, { tls: 'starttls' }), /ETLS|EREQUIRETLS/, 'no STARTTLS');
  const wrong = { user: 'cadenas', password: 'another horse' };
  t.match(await failure(t, { tls: 'tls', login }, { login: wrong }), /EAUTH 535/, 'a wrong password');
  const refuses = (address: string): string => `<${address}> unknown`;
  t.match(await failure(t, { tls: 'tls', login, refuses }, {}), /EENVELOPE 550/, 'a recipient that nobody knows');
  const post = await Post.start(t);
  const gone = { port: post.port };
  await post.close();
  await t.rejects((await mailerAt(gone)).send('ada@mail.example', 'subject', 'text'), /SMTP ECONNECTION|SMTP ESOCKET/);
});

test('a mail server that says nothing, or one word after another for ever, does not hold up anybody', async (t) => {
  for (const says of ['', '220-still here\r\n']) {
    const server = createServer((socket) => {
      const timer = setInterval(() => socket.write(says), 20);
      socket.on('error', () => undefined); // it is cut: what is tested
      socket.on('close', () => {
        clearInterval(timer);
        closed();
      });
    }).listen(0, '127.0.0.1');
    let closed = (): void => undefined;
    const over = new Promise<void>((resolve) => (closed = resolve));
    await once(server, 'listening');
    t.teardown(() => server.close());
    const { port } = server.address() as AddressInfo;
    const mailer = await mailerAt({ port }, { tls: 'none', login: undefined, timeout: 300 });
    const began = performance.now();
    await t.rejects(mailer.send('ada@mail.example', 'subject', 'text'), /SMTP/);
    t.ok(performance.now() - began < 2_000);
    await over; // and its connection is gone
  }
});

test('a daemon that stops waits for no mail', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const mailer = await mailerAt(server.address() as AddressInfo, { tls: 'none', login: undefined, timeout: 20_000 });
  const connected = once(server, 'connection');
  const sent = mailer.send('ada@mail.example', 'subject', 'text');
  await connected;
  mailer.close();
  await t.rejects(sent, /SMTP/);
});
