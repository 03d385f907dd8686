/** Lines that are only added: what goes where, without a terminal. */
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { test, type Test } from 'tap';
import { PlainScreen } from '../../src/faces/tui/plain-screen.js';
import { Talk } from '../../src/faces/tui/talk/talk.js';
import { contactView, FakeClient } from '../support/fake-client.js';

interface Lab {
  readonly client: FakeClient;
  readonly printed: () => string;
  /** Until all that was typed is done with. */
  readonly types: (text: string) => Promise<void>;
}

async function lab(t: Test): Promise<Lab> {
  const client = new FakeClient();
  client.contacts.set('bob', contactView('bob'));
  client.contacts.set('carol', contactView('carol', { latest: 0 }));
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  let printed = '';
  stdout.setEncoding('utf8').on('data', (text: string) => (printed += text));
  const prompter = { possible: false, hidden: () => Promise.reject(new Error('no terminal')), close: () => undefined };
  const screen = new PlainScreen({ stdin, stdout, signal: new AbortController().signal }, prompter);
  const never = { now: () => 1, elapsed: () => 0, after: () => () => undefined };
  const talk = new Talk(client, screen, never);
  await talk.start();
  const ending = screen.converse(talk);
  t.teardown(async () => {
    screen.quit();
    await ending;
    talk.close();
  });
  const settle = async (): Promise<void> => {
    for (let n = 0; n < 20; n++) await turn();
  };
  await settle();
  return {
    client,
    printed: () => printed,
    types: async (text) => {
      stdin.write(text);
      await settle();
    },
  };
}

const sent = ({ client }: Lab): unknown[] =>
  client.calls.filter(({ command }) => command === 'send').map(({ args }) => args);

void test('lines that come at once go where each was typed', async (t) => {
  const made = await lab(t);
  await made.types('for bob\n/query @carol\nfor carol\n');
  t.same(sent(made), [
    { to: 'bob', text: 'for bob' },
    { to: 'carol', text: 'for carol' },
  ]);
});

void test('what comes at once with the command that asks for it is never sent to anybody', async (t) => {
  const made = await lab(t);
  await made.types('/block @bob\nan answer, or a secret\n');
  t.same(sent(made), []);
  t.match(made.printed(), 'typed before it was asked for');
  await made.types('\n');
  t.notOk(made.client.calls.some(({ command }) => command === 'block'));
  await made.types('and this is a text\n');
  t.same(sent(made), [{ to: 'bob', text: 'and this is a text' }]);
});

void test('own texts of other processes are shown, those that were typed are told to have gone', async (t) => {
  const made = await lab(t);
  await made.types('typed here\n');
  const typed = made.client.own('bob', 'typed here');
  const other = made.client.own('bob', 'from a script');
  for (const row of [typed, other])
    if (row.type === 'out') made.client.emit({ type: 'sent', id: row.id, to: 'bob', state: 'queued' });
  await made.types('');
  const lines = made.printed().split('\n');
  t.equal(lines.filter((line) => line.includes('typed here')).length, 0);
  t.equal(lines.filter((line) => /^to @bob .*: from a script$/.test(line)).length, 1);
  t.equal(lines.filter((line) => line === '* to @bob: sent').length, 2);
});
