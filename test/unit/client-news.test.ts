/** What listeners are told while they listen: each thing once, and not before the disk has it. */
import { test, type Test } from 'tap';
import { newsOf } from '../../src/client/news.js';
import type { Client, ClientEvent, Row } from '../../src/client/index.js';
import { apply, type Event } from '../../src/client/reducer.js';
import { PAGE } from '../../src/client/rows.js';
import { emptyState, NOTICES_MAX, type State } from '../../src/client/state.js';
import { recordsWith, stateKeyOf } from './client-disk.js';
import { friends, isNotice, isText, nextDelivery, register, unread, type Party } from './client-parties.js';
import { MemoryDaemon } from './memory-daemon.js';

const NEWEST = Number.MAX_SAFE_INTEGER;
const HOUR = 3600_000;
type News = Extract<ClientEvent, { type: 'row' | 'gone' | 'read' | 'changed' }>;

const wordOf = (row: Row): string => (row.type === 'notice' ? `${row.kind} ${row.name}` : `${row.type} ${row.text}`);

/** As one word each. */
function short(event: ClientEvent): string | undefined {
  switch (event.type) {
    case 'row':
      return wordOf(event.row);
    case 'gone':
    case 'read':
      return `${event.type} ${String(event.keys.length)}`;
    case 'changed':
      return `changed ${event.of}`;
    default:
      return undefined;
  }
}

function heard(client: Client): News[] {
  const all: News[] = [];
  client.on((event) => {
    if (short(event) !== undefined) all.push(event as News);
  });
  return all;
}

/** The next event that fits. */
function next(client: Client, fits: (event: ClientEvent) => boolean): Promise<ClientEvent> {
  return new Promise((resolve) => {
    const stop = client.on((event) => {
      if (!fits(event)) return;
      stop();
      resolve(event);
    });
  });
}

const isRow = (word: string) => (event: ClientEvent) => event.type === 'row' && wordOf(event.row) === word;

async function talking(t: Test): Promise<{ daemon: MemoryDaemon; a: Party; b: Party }> {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await friends(daemon);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  return { daemon, a, b };
}

test('a text is a row for both, then it is read, then it is gone: once each, as the disk has it', async (t) => {
  const { daemon, a, b } = await talking(t);
  const onDisk: string[] = [];
  for (const { core, storage } of [a, b]) {
    const key = await stateKeyOf(storage.files, daemon.linked);
    core.on((event) => {
      const what = short(event);
      if (what === undefined) return;
      const records = recordsWith('brief', storage.files, key);
      const reads = recordsWith('"t":"read"', storage.files, key);
      onDisk.push(`${what}: ${records.length > 0 ? 'there' : 'not there'}${reads.length > 0 ? ', read' : ''}`);
    });
  }
  const [atA, atB] = [heard(a.core), heard(b.core)];
  const delivered = nextDelivery(a.core);
  const arrived = next(b.core, isRow('message brief'));
  const { id } = await a.core.call('send', { to: 'bob', text: 'brief' });
  const row = await arrived;
  const item = await unread(b.core, isText('brief'));
  t.same(row, { type: 'row', row: item }, 'as `unread` has it');
  await delivered;
  const { rows } = await a.core.call('page', { name: 'bob', before: NEWEST });
  t.match(atA, [{ type: 'row', row: { type: 'out', id, to: 'bob', text: 'brief', state: 'waiting' } }]);
  t.match(rows.at(-1), { type: 'out', id, state: 'delivered' });
  await Promise.all([b.core.call('read', { keys: [item.key, 'x'] }), b.core.call('read', { keys: [item.key] })]);
  t.match(atB.at(-1), { type: 'read', keys: [item.key], at: Number });
  const gone = [a, b].map(({ core }) => next(core, ({ type }) => type === 'gone'));
  a.clock.forward(HOUR + 60_000);
  b.clock.forward(HOUR + 60_000);
  t.match(await Promise.all(gone), [
    { type: 'gone', keys: [id] },
    { type: 'gone', keys: [item.key] },
  ]);
  t.same(atB.map(short), ['message brief', 'read 1', 'gone 1']);
  t.same(atA.map(short), ['out brief', 'gone 1']);
  t.same(onDisk.sort(), [
    'gone 1: not there',
    'gone 1: not there',
    'message brief: there',
    'out brief: there',
    'read 1: there, read',
  ]);
});

test('who may not write makes no row, and what the contact book gives is told', async (t) => {
  const daemon = await MemoryDaemon.start();
  const [a, b] = await Promise.all([register(daemon, 'alice'), register(daemon, 'bob')]);
  t.teardown(() => Promise.all([a.core.close(), b.core.close()]));
  const [atA, atB] = [heard(a.core), heard(b.core)];
  const since = b.clock.now();
  await a.core.call('add', { name: 'bob' });
  await unread(b.core, isNotice('request'));
  t.same(atA.map(short), ['changed contacts']);
  t.same(atB.map(short), ['request alice', 'changed contacts']);
  t.match((await b.core.call('contacts', { check: false })).contacts, [{ name: 'alice', unread: 1 }]);
  await b.core.call('accept', { name: 'alice' });
  const accepted = await unread(a.core, isNotice('accepted'));
  t.same(atA.splice(0).map(short), ['changed contacts', 'accepted bob', 'changed contacts']);
  t.same(atB.splice(0).map(short), ['request alice', 'changed contacts', 'changed contacts']);
  const [bob] = (await a.core.call('contacts', { check: false })).contacts;
  t.match(bob, { name: 'bob', unread: 1, latest: accepted.at });
  await a.core.call('verify', { name: 'bob' });
  t.same(atA.splice(0), [], 'a look changes nothing');
  await a.core.call('confirm', { name: 'bob' });
  await a.core.call('block', { name: 'bob' });
  t.same(atA.splice(0).map(short), ['changed contacts', 'changed contacts']);
  const acked = new Promise<string>((resolve) => (daemon.onAck = resolve));
  await b.core.call('send', { to: 'alice', text: 'unheard' });
  await acked;
  t.same(atA, []);
  /* Where nothing is kept of somebody, the relation says when they were new. */
  await b.core.call('read', { keys: (await b.core.call('unread', {})).items.map(({ key }) => key) });
  const gone = next(b.core, ({ type }) => type === 'gone');
  b.clock.forward(HOUR + 60_000);
  await gone;
  const { contacts } = await b.core.call('contacts', { check: false });
  t.match(contacts, [{ name: 'alice', unread: 0 }]);
  const [{ rows }] = [await b.core.call('page', { name: 'alice', before: NEWEST })];
  t.same(rows.map(wordOf), ['out unheard']);
  t.ok((contacts[0]?.latest ?? 0) >= since && (contacts[0]?.latest ?? NEWEST) < b.clock.now() - HOUR);
});

test('a page of whom nobody knows, or from no row on', async (t) => {
  const { a } = await talking(t);
  for (const command of ['page', 'history'] as const) {
    const call = (name: string): Promise<unknown> => a.core.call(command, { name, before: NEWEST, after: 0 });
    await t.rejects(call('carol'), { code: 'never-asked' });
    await t.rejects(call('al ice'), { code: 'bad-name' });
    await t.rejects(call('alice'), { code: 'self' });
    await t.rejects(call('#garden'), { code: 'room-unknown' });
    await t.rejects(call('#@'), { code: 'bad-room' });
  }
  const nothing = { name: 'bob' } as unknown as { name: string; before: number };
  await t.rejects(a.core.call('page', nothing), { code: 'usage' });
  t.same(await a.core.call('page', { name: '', before: NEWEST }), { rows: [], more: false });
});

// ---- what events do to rows

const keys = { uid: '01', enc: '02', sig: '03' };
const chain = { sequence: 1, hash: '' };
const own = (id: string, to: string): Event => ({ t: 'text', id, to, text: id, at: 1, envelope: 'ee', chain });
const told = (key: string, name = 'bob'): Event => ({ t: 'notice', key, kind: 'gap', name, detail: '', at: 1 });
const part = (index: number, bytes = '61'): Event => ({
  ...{ t: 'part', key: `m:${String(index)}`, message: 'm', id: 'm', from: 'bob', part: index, parts: 2, bytes },
  ...{ time: 1, at: 1, chain: { sequence: index + 1, hash: '' } },
});

function newsAfter(state: State, ...events: readonly Event[]): News[] {
  const noted = (state.noted = []);
  for (const event of events) apply(state, event);
  return newsOf(events, noted);
}

function open(): State {
  const state = emptyState();
  apply(state, { t: 'opened', name: 'bob', keys, at: 1 });
  return state;
}

test('a long message is one row, in the place of the notice that it is not complete', (t) => {
  const state = open();
  t.same(newsAfter(state, part(0)), []);
  t.same(newsAfter(state, { t: 'incomplete', message: 'm', at: 2 }).map(short), ['incomplete bob']);
  t.match(newsAfter(state, part(1)), [
    { type: 'gone', keys: ['m'] },
    { type: 'row', row: { type: 'message', key: 'm:0', text: 'aa', order: 2 } },
  ]);
  t.end();
});

test('parts that are given up are told as a notice that takes the place of the one before', (t) => {
  const state = open();
  newsAfter(state, part(0), { t: 'incomplete', message: 'm', at: 2 });
  const news = newsAfter(state, { t: 'repinned', name: 'bob', keys, relation: 'open', at: 3 });
  t.match(news, [
    { type: 'row', row: { type: 'notice', kind: 'given-up', key: 'm', order: 2 } },
    { type: 'changed', of: 'contacts' },
  ]);
  t.equal(news.length, 2);
  t.end();
});

test('own texts that will not go are told once more, as failed', (t) => {
  const failed = (event: Event): unknown => {
    const state = open();
    newsAfter(state, own('mine', 'bob'), { t: 'portion', id: 'mine', parts: 'q.' });
    return newsAfter(state, event).filter(({ type }) => type === 'row');
  };
  const row = { type: 'row', row: { type: 'out', id: 'mine', order: 1, to: 'bob', text: 'mine', at: 1 } } as const;
  const expected = [{ ...row, row: { ...row.row, state: 'failed', done: 9 } }];
  t.match(failed({ t: 'nobody', name: 'bob', at: 9 }), expected);
  t.match(failed({ t: 'repinned', name: 'bob', keys, relation: 'open', at: 9 }), expected);
  t.match(failed({ t: 'rekeyed', at: 9 }), expected);
  t.same(failed({ t: 'sealed', id: 'mine', envelope: 'ff', chain }), []);
  const [first] = newsAfter(open(), own('mine', 'bob'));
  t.same(first, { ...row, row: { ...row.row, state: 'waiting' } }, 'without what was sealed');
  t.end();
});

test('what goes: pushed out, with a room, and a page of keys at most in one event', (t) => {
  const state = open();
  newsAfter(state, ...Array.from({ length: NOTICES_MAX }, (_, index) => told(`n${String(index)}`)));
  t.match(newsAfter(state, told('one more')), [
    { type: 'row', row: { key: 'one more' } },
    { type: 'gone', keys: ['n0'] },
  ]);
  const all = [...state.notices.keys()];
  const news = newsAfter(state, { t: 'expired', keys: [...all, 'unknown'] });
  t.same(
    news.map((event) => event.type === 'gone' && event.keys.length),
    [PAGE, PAGE, PAGE, NOTICES_MAX - 3 * PAGE],
  );
  t.same(
    news.flatMap((event) => (event.type === 'gone' ? event.keys : [])),
    all,
  );
  const said: Event = { t: 'message', key: 'k', id: 'k', from: '#garden@bob', text: 'x', time: 1, at: 1, chain };
  newsAfter(state, said, own('mine', '#garden'), told('about', '#garden@bob'));
  t.same(newsAfter(state, { t: 'room-gone', room: '#garden', at: 2 }), [
    { type: 'gone', keys: ['k', 'mine'] },
    { type: 'changed', of: 'rooms' },
  ]);
  t.end();
});
