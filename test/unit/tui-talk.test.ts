/** What the terminal interface has of conversations: rows within bounds, counts of what is unread, lists that change. */
import { setImmediate as turn } from 'node:timers/promises';
import { test, type Test } from 'tap';
import type { Row } from '../../src/client/index.js';
import type { Conversation } from '../../src/faces/tui/talk/conversation.js';
import { Scrollback, type Shown } from '../../src/faces/tui/talk/scrollback.js';
import { unreadOf } from '../../src/faces/tui/talk/pages.js';
import { Talk } from '../../src/faces/tui/talk/talk.js';
import { contactView, FakeClient } from '../support/fake-client.js';

/** Rows that are in memory at most. */
const BOUND = 2_256;

class Timers {
  readonly #due = new Set<() => void>();
  now = () => 1_000;
  elapsed = () => 0;
  after = (_ms: number, run: () => void): (() => void) => {
    const one = (): void => {
      this.#due.delete(one);
      run();
    };
    this.#due.add(one);
    return () => this.#due.delete(one);
  };

  /** Until nothing is planned any more. */
  async settle(): Promise<void> {
    do {
      for (const run of [...this.#due]) run();
      await turn();
    } while (this.#due.size > 0);
  }
}

interface Lab {
  readonly client: FakeClient;
  readonly talk: Talk;
  readonly timers: Timers;
  readonly arrived: string[];
  readonly failed: string[];
  readonly settle: () => Promise<void>;
}

async function lab(t: Test, before: (client: FakeClient) => void = () => undefined): Promise<Lab> {
  const client = new FakeClient();
  for (const name of ['bob', 'carol']) client.contacts.set(name, contactView(name));
  before(client);
  const timers = new Timers();
  const arrived: string[] = [];
  const failed: string[] = [];
  const listener = {
    changed: () => undefined,
    arrived: (one: Conversation, row: Row) => arrived.push(`${one.key}:${row.type}`),
    failed: ({ message }: { readonly message: string }) => failed.push(message),
    ended: () => undefined,
  };
  const talk = new Talk(client, listener, timers);
  t.teardown(() => {
    talk.close();
  });
  await talk.start();
  return { client, talk, timers, arrived, failed, settle: () => timers.settle() };
}

const textOf = (row: Shown): string => (row.type === 'notice' ? row.kind : row.text);
const textsOf = (one: Conversation): string[] => one.scroll.rows.map(textOf);

/** Somebody's texts, counted from 1. */
function many(client: FakeClient, from: string, count: number, read?: number): void {
  for (let n = 1; n <= count; n++) client.says(from, String(n), read === undefined ? {} : { read });
}

void test('of 5,000 rows a bounded piece is in memory, and either end is reached', async (t) => {
  const { client, talk } = await lab(t, (made) => many(made, 'bob', 5_000, 1));
  const bob = talk.conversation('bob');
  await talk.load(bob);
  t.same([bob.scroll.rows.length, textOf(bob.scroll.last as Shown)], [256, '5000']);
  let pages = 0;
  while (bob.scroll.older && pages++ < 100) {
    await talk.older(bob);
    t.ok(bob.scroll.rows.length <= BOUND, `${String(bob.scroll.rows.length)} rows`);
  }
  t.same([textOf(bob.scroll.first as Shown), bob.scroll.detached], ['1', true]);
  client.says('bob', 'the newest');
  t.notMatch(textsOf(bob), ['the newest'], 'there is a gap before it');
  bob.scroll.say('said by this face', 1);
  t.equal(textOf(bob.scroll.last as Shown), 'said by this face', 'what is said here is seen wherever one is');
  await talk.toEnd(bob);
  t.same(textsOf(bob).slice(-3), ['5000', 'the newest', 'said by this face']);
  t.same([bob.scroll.rows.length, bob.scroll.detached, bob.scroll.older], [257, false, true]);
  many(client, 'bob', 5_000);
  t.ok(bob.scroll.rows.length <= BOUND, 'what comes is bounded too');
  t.same(
    bob.scroll.rows.slice(-2_000).map(textOf),
    Array.from({ length: 2_000 }, (_, n) => String(3_001 + n)),
  );
});

void test('rows in their places: late ones, known ones, those that go', (t) => {
  const scroll = new Scrollback();
  const row = (order: number, text = String(order), key = text): Row => ({
    ...({ type: 'message', key, id: key, from: 'bob', time: 1, at: 1 } as const),
    ...{ order, text },
  });
  for (const order of [10, 20, 30]) scroll.add(row(order));
  scroll.add(row(15));
  scroll.add(row(99, 'twenty', '20'));
  const texts = (): string[] => scroll.rows.map(textOf);
  t.same(texts(), ['10', '15', 'twenty', '30'], 'a known row stays where it was');
  t.equal(scroll.byKey('20')?.order, 20);
  scroll.add(row(20, 'another of the same order'));
  scroll.remove('20');
  t.same(texts(), ['10', '15', 'another of the same order', '30']);
  scroll.say('one', 1);
  scroll.say('two', 1);
  scroll.add(row(31));
  t.same(texts().slice(-4), ['30', 'one', 'two', '31']);
  scroll.prepend([row(5), row(10)], false);
  t.same(
    texts(),
    ['5', '10', '15', 'another of the same order', '30', 'one', 'two', '31'],
    'what is there is no second',
  );
  t.same([scroll.from(5), scroll.from(31), scroll.from(32)], [0, 7, 8]);
  scroll.restart([row(30), row(31)], true);
  t.same(texts(), ['30', 'one', 'two', '31'], 'the newest page again');
  scroll.clear();
  scroll.say('after it', 1);
  scroll.prepend([row(30), row(31)], true);
  scroll.add(row(32));
  t.same(texts(), ['30', '31', 'after it', '32'], 'what was cleared can be read again');
  t.same([scroll.from(31), scroll.from(32)], [1, 3]);
  t.end();
});

void test('a page that comes when somebody went to the end is no part of what is there', async (t) => {
  const { client, talk } = await lab(t, (made) => many(made, 'bob', 5_000, 1));
  const bob = talk.conversation('bob');
  await talk.load(bob);
  while (!bob.scroll.detached) await talk.older(bob);
  let release: () => void = () => undefined;
  client.held.set('page', new Promise((resolve) => (release = resolve)));
  const older = talk.older(bob);
  client.held.clear();
  await talk.toEnd(bob);
  release();
  await older;
  t.same([bob.scroll.rows.length, textOf(bob.scroll.first as Shown)], [256, '4745']);
  await talk.older(bob);
  t.equal(textOf(bob.scroll.first as Shown), '4489', 'without a gap');
});

void test('what is said before a conversation was read stands behind all of it', async (t) => {
  const { talk } = await lab(t, (made) => many(made, 'bob', 300, 1));
  const bob = talk.conversation('bob');
  bob.scroll.say('asked', 1);
  const loading = talk.load(bob);
  bob.scroll.say('and asked again', 1);
  await loading;
  t.same(textsOf(bob).slice(-3), ['300', 'asked', 'and asked again']);
});

void test('unread: counted once, whatever comes in between', async (t) => {
  const { client, talk, arrived, settle } = await lab(t, (made) => many(made, 'bob', 3));
  const bob = talk.conversation('bob');
  t.equal(bob.unread, 3, 'from before');
  const four = client.says('bob', '4');
  t.equal(bob.unread, 4);
  t.same(arrived, ['bob:message']);
  await talk.load(bob);
  client.emit({ type: 'row', row: four });
  t.same([bob.unread, arrived.length], [4, 1], 'a row that is known already is no other');
  t.same(talk.list()[0], bob, 'who wrote stands first');
  talk.seen(bob, ['bob:1', 'bob:2']);
  t.equal(bob.unread, 2, 'at once');
  await settle();
  t.equal(bob.unread, 2);
  client.emit({ type: 'read', keys: ['bob:3'], at: 7 });
  t.equal(bob.unread, 1, 'read in another process');
  t.same(unreadOf(bob).map(textOf), ['4']);
  talk.away = 'lunch';
  talk.seen(bob, ['bob:4']);
  t.same([bob.unread, client.calls.filter(({ command }) => command === 'read').length], [1, 1], 'nobody is here');
});

void test('a list that was asked for before a row came does not take it away again', async (t) => {
  const { client, talk, settle } = await lab(t);
  const bob = talk.conversation('bob');
  let release: () => void = () => undefined;
  client.held.set('rooms', new Promise((resolve) => (release = resolve)));
  const refreshing = talk.refresh();
  client.says('bob', 'meanwhile');
  client.held.clear();
  release();
  await refreshing;
  await settle();
  t.equal(bob.unread, 1);
});

void test('nor does one that was asked for before a row was marked', async (t) => {
  const { client, talk, settle } = await lab(t, (made) => many(made, 'bob', 2));
  const bob = talk.conversation('bob');
  await talk.load(bob);
  let release: () => void = () => undefined;
  client.held.set('contacts', new Promise((resolve) => (release = resolve)));
  const refreshing = talk.refresh();
  talk.seen(bob, ['bob:1', 'bob:2']);
  client.held.clear();
  release();
  await refreshing;
  await settle();
  t.equal(bob.unread, 0);
});

void test('so many pages are read that the first unread row is among them', async (t) => {
  const { talk } = await lab(t, (made) => {
    many(made, 'bob', 300, 1);
    many(made, 'bob', 700);
  });
  const bob = talk.conversation('bob');
  t.equal(bob.unread, 700);
  await talk.load(bob);
  t.same([unreadOf(bob).length, textOf(unreadOf(bob)[0] as Shown)], [700, '1']);
});

void test('a text whose hour is over leaves the screen, unread counts follow', async (t) => {
  const { client, talk, settle } = await lab(t, (made) => many(made, 'bob', 3));
  const bob = talk.conversation('bob');
  await talk.load(bob);
  const mine = client.own('bob', 'mine');
  client.emit({ type: 'sent', id: 'o:4', to: 'bob', state: 'delivered' });
  t.match(bob.scroll.last, { type: 'out', state: 'delivered', done: 1_000 });
  client.forget('bob:1', mine.type === 'out' ? mine.id : '');
  t.same(textsOf(bob), ['2', '3']);
  await settle();
  t.equal(bob.unread, 2);
});

void test('a contact that goes takes the conversation along; notices are of the account then', async (t) => {
  const { client, talk, settle } = await lab(t);
  await talk.load(talk.conversation('bob'));
  client.notice('accepted', 'bob');
  client.contacts.delete('bob');
  client.emit({ type: 'changed', of: 'contacts' });
  await settle();
  t.equal(talk.find('bob'), undefined);
  t.same(
    talk.list().map(({ key }) => key),
    ['', 'carol'],
  );
  t.same(textsOf(talk.home), ['accepted']);
  t.equal(talk.home.unread, 1);
});

void test('a notice about nobody in the book is seen at home', async (t) => {
  const { client, talk, arrived, settle } = await lab(t, (made) => made.notice('refused', 'stranger'));
  t.same([talk.home.unread, textsOf(talk.home)], [1, ['refused']], 'from before');
  client.notice('unknown-name', 'mallory');
  t.same(arrived, ['mallory:notice']);
  await settle();
  t.equal(talk.find('mallory'), undefined);
  t.same([talk.home.unread, textsOf(talk.home)], [2, ['refused', 'unknown-name']]);
  talk.seen(talk.home, ['n:1', 'n:2']);
  await settle();
  t.equal(talk.home.unread, 0);
});

void test('a conversation that is begun while a list is on its way stays', async (t) => {
  const { client, talk, settle } = await lab(t);
  let release: () => void = () => undefined;
  client.held.set('rooms', new Promise((resolve) => (release = resolve)));
  const refreshing = talk.refresh();
  client.contacts.set('dave', contactView('dave', { relation: 'asked' }));
  const dave = talk.conversation('dave');
  client.held.clear();
  release();
  await refreshing;
  t.equal(talk.find('dave'), dave);
  client.emit({ type: 'changed', of: 'contacts' });
  await settle();
  t.match(talk.find('dave'), { contact: { relation: 'asked' } });
});

void test('the next that has something goes around, past what waits for a decision', async (t) => {
  const { client, talk, settle } = await lab(t, (made) => {
    for (const name of ['x', 'y']) made.contacts.set(name, contactView(name, { relation: 'requested' }));
    many(made, 'bob', 1);
  });
  await settle();
  const visited: string[] = [];
  let at = talk.home;
  for (let n = 0; n < 4; n++) {
    at = talk.nextUnread(at) ?? at;
    visited.push(at.key);
  }
  t.same(visited, ['x', 'y', 'bob', 'x']);
  client.contacts.clear();
  client.emit({ type: 'changed', of: 'contacts' });
  await settle();
  talk.seen(
    talk.home,
    unreadOf(talk.home).map(({ key }) => key),
  );
  t.equal(talk.nextUnread(talk.home), undefined);
});

void test('a session that ends while the lists are asked for is not forgotten', async (t) => {
  const { client, talk } = await lab(t);
  const trouble = { code: 'session-over', message: 'over', hint: '', exit: 1 } as const;
  t.equal(talk.over, undefined);
  client.emit({ type: 'ended', trouble });
  t.equal(talk.over, trouble);
});
