import { test } from 'tap';
import { apply, snapshot, type Event } from '../../src/client/reducer.js';
import { DECLINED_MAX, emptyState, NOTICES_MAX, RECEIPTS_OWED_MAX, type State } from '../../src/client/state.js';

function fold(events: readonly Event[]): State {
  const state = emptyState();
  for (const event of events) apply(state, event);
  return state;
}

const keys = { uid: '01', enc: '02', sig: '03' };
const action = { frame: 'f1', command: 'jmpu', name: 'bob', fields: '' } as const;
const chain = { sequence: 1, hash: 'aa' };
const story: Event[] = [
  { t: 'asked', name: 'bob', hash: 'h', action, at: 1 },
  { t: 'text', id: 'm1', to: 'bob', text: 'early', at: 2 },
  { t: 'settled', frame: 'f1' },
  { t: 'opened', name: 'bob', keys, at: 3 },
  { t: 'sealed', id: 'm1', envelope: 'ee', chain },
  { t: 'message', key: '01:x:0', id: 'x', from: 'bob', text: 'hi', time: 4, at: 5, chain },
  { t: 'notice', key: 'n', kind: 'accepted', name: 'bob', detail: '', at: 6 },
];

test('a story told', (t) => {
  const state = fold(story);
  t.match(state.contacts.get('bob'), { relation: 'open', keys, request: 'h', sent: chain, received: chain });
  t.equal(state.actions.size, 0);
  t.match(state.outgoing.get('m1'), { state: 'waiting', envelope: 'ee' });
  t.ok(state.seen.has('01:x:0'));
  t.end();
});

test('a snapshot gives the same state', (t) => {
  const state = fold(story);
  t.same(fold([...snapshot(state)]), state);
  t.end();
});

test('a message goes forward only', (t) => {
  const sent = (state: 'queued' | 'delivered' | 'failed'): Event => ({ t: 'sent', id: 'm1', state, at: 9 });
  const after = fold([...story, sent('delivered'), sent('queued'), sent('failed')]).outgoing.get('m1');
  t.match(after, { state: 'delivered', done: 9 });
  t.equal(after?.envelope, undefined, 'the sealed bytes are of no more use');
  t.end();
});

test('the text goes, its id stays', (t) => {
  const state = fold([...story, { t: 'read', keys: ['01:x:0', 'n'], at: 7 }, { t: 'expired', keys: ['01:x:0', 'm1'] }]);
  t.equal(state.incoming.size + state.outgoing.size, 0);
  t.ok(state.seen.has('01:x:0'));
  t.equal(state.notices.get('n')?.read, 7);
  t.end();
});

test('nobody: the request and what waited for it', (t) => {
  const state = fold([...story.slice(0, 2), { t: 'nobody', name: 'bob', at: 8 }]);
  t.notOk(state.contacts.has('bob'));
  t.match(state.outgoing.get('m1'), { state: 'failed', done: 8 });
  t.end();
});

test('notices are bounded', (t) => {
  const many = Array.from({ length: NOTICES_MAX + 5 }, (_, i): Event => ({
    t: 'notice',
    key: `n${String(i)}`,
    kind: 'unreadable',
    name: '',
    detail: '',
    at: i,
  }));
  const { notices } = fold(many);
  t.equal(notices.size, NOTICES_MAX);
  t.notOk(notices.has('n4'));
  t.ok(notices.has('n5'));
  t.end();
});

test('junk does not push out a warning that nobody read', (t) => {
  const base = { t: 'notice', name: 'bob', detail: '', at: 1 } as const;
  const warnings: Event[] = [
    { ...base, key: 'warning', kind: 'changed' },
    { t: 'gap', key: 'hole', name: 'bob', from: 5, to: 9, at: 1 },
    { ...base, key: 'news', kind: 'accepted' },
  ];
  const junk = Array.from({ length: NOTICES_MAX }, (_, i): Event => ({
    ...base,
    key: `j${String(i)}`,
    kind: 'unreadable',
  }));
  const news = junk.map((one, i): Event => ({ ...one, key: `n${String(i)}`, kind: 'declined' }) as Event);
  const { notices } = fold([...warnings, ...junk]);
  t.equal(notices.size, NOTICES_MAX);
  t.same([...notices.keys()].slice(0, 4), ['warning', 'hole', 'news', 'j3']);
  t.match(notices.get('hole'), { kind: 'gap', detail: '5-9' });
  const later = fold([...warnings, ...junk, ...news]).notices;
  t.same([...later.keys()].slice(0, 3), ['warning', 'hole', 'n2']);
  t.end();
});

test('nobody silences what is said of others', (t) => {
  const gap = (name: string, i: number): Event => ({
    t: 'gap',
    key: `${name} ${String(i)}`,
    name,
    from: i,
    to: i,
    at: 1,
  });
  const loud = Array.from({ length: NOTICES_MAX }, (_, i) => gap('mallory', i));
  const ofCarol: Event[] = [
    { t: 'notice', key: 'changed', kind: 'changed', name: 'carol', detail: '', at: 1 },
    { t: 'notice', key: 'request', kind: 'request', name: 'dave', detail: '', at: 1 },
    gap('carol', 7),
  ];
  const { notices } = fold([...loud, ...ofCarol]);
  t.equal(notices.size, NOTICES_MAX);
  t.same([...notices.keys()].slice(-2), ['changed', 'carol 7'], 'what is no warning goes before one of them');
  t.notOk(notices.has('mallory 0'), 'the oldest of who has most');
  t.ok(fold([...loud, ...ofCarol.slice(0, 2)]).notices.has('request'), 'the newest stays');
  t.end();
});

test('missing messages are ranges, and a late one cuts them', (t) => {
  const came = (sequence: number): Event => ({
    t: 'message',
    key: `01:${String(sequence)}:0`,
    id: String(sequence),
    from: 'bob',
    text: 'hi',
    time: 4,
    at: sequence,
    chain: { sequence, hash: 'aa' },
  });
  const missing = (...events: Event[]) => fold([...story, ...events]).contacts.get('bob')?.missing;
  t.equal(missing(came(2)), undefined);
  t.same(missing(came(9)), [{ from: 2, to: 8, since: 9 }]);
  t.same(missing(came(9), came(4)), [
    { from: 2, to: 3, since: 9 },
    { from: 5, to: 8, since: 9 },
  ]);
  t.same(missing(came(3), came(2)), []);
  t.same(missing(came(9), { t: 'gap', key: 'g', name: 'bob', from: 2, to: 8, at: 1 }), []);
  t.end();
});

test('of a declined request only its hash stays, for a while', (t) => {
  const events = Array.from({ length: DECLINED_MAX + 1 }, (_, i): Event[] => {
    const name = `n${String(i)}`;
    return [
      { t: 'requested', name, keys, hash: `h${String(i)}`, at: 1 },
      { t: 'closed', name, relation: 'declined', at: 2 },
      { t: 'forgotten', name, at: 3 },
    ];
  }).flat();
  const { contacts, declined } = fold(events);
  t.equal(contacts.size, 0);
  t.equal(declined.size, DECLINED_MAX);
  t.notOk(declined.has('h0'));
  const spoken = fold([
    ...story,
    { t: 'closed', name: 'bob', relation: 'declined', at: 2 },
    { t: 'forgotten', name: 'bob', at: 3 },
  ]);
  t.ok(spoken.contacts.has('bob'), 'a row whose chains moved stays');
  t.end();
});

const read: Event = { t: 'read', keys: ['01:x:0'], at: 7 };
const receipt: Event = { t: 'receipt-sealed', id: 'r', to: 'bob', ids: ['x'], at: 8, envelope: 'ee', chain };
const owedOf = (...events: readonly Event[]) => fold([...story, ...events]).owed.get('bob')?.ids;

test('a receipt is owed by the record of the reading, and no more by the one that seals it', (t) => {
  t.same(owedOf(read), ['x']);
  t.same(owedOf(read, read), ['x'], 'a text is read once');
  const sealed = fold([...story, read, receipt]);
  t.equal(sealed.owed.size, 0);
  t.equal(sealed.receipts.get('r')?.envelope, 'ee');
  for (const state of ['queued', 'delivered', 'failed'] as const)
    t.equal(fold([...story, read, receipt, { t: 'sent', id: 'r', state, at: 9 }]).receipts.size, 0, state);
  t.same(fold([...snapshot(sealed)]), sealed);
  t.end();
});

test('a receipt is owed to open contacts of these very keys alone, and only while a person wants it', (t) => {
  t.equal(owedOf({ t: 'receipts', on: false }, read), undefined);
  t.same(owedOf({ t: 'receipts', on: false }, { t: 'receipts', on: true }, read), ['x']);
  t.equal(owedOf({ t: 'closed', name: 'bob', relation: 'blocked', at: 6 }, read), undefined);
  const repinned: Event = { t: 'repinned', name: 'bob', keys: { ...keys, uid: '09' }, relation: 'open', at: 6 };
  t.equal(owedOf(repinned, read), undefined, 'the text is of somebody else');
  t.same(owedOf({ ...repinned, keys: { ...keys, sig: '09' } }, read), ['x']);
  t.end();
});

test('what was not handed over of receipts is dropped', (t) => {
  const keysChanged: Event = { t: 'repinned', name: 'bob', keys: { ...keys, sig: '09' }, relation: 'open', at: 9 };
  for (const event of [keysChanged, { t: 'rekeyed', at: 9 }, { t: 'receipts', on: false }] as const) {
    t.equal(owedOf(read, event), undefined, event.t);
    t.equal(fold([...story, read, receipt, event]).receipts.size, 0, event.t);
  }
  t.equal(owedOf(read, { t: 'closed', name: 'bob', relation: 'blocked', at: 9 }), undefined);
  t.end();
});

test('of too many receipts that are owed the newest stay', (t) => {
  const ids = Array.from({ length: RECEIPTS_OWED_MAX + 2 }, (_, n) => `m${String(n)}`);
  const rest = { t: 'message', from: 'bob', text: '', time: 1, at: 1, chain } as const;
  const came = ids.map((id): Event => ({ ...rest, key: `01:${id}:0`, id }));
  t.same(owedOf(...came, { t: 'read', keys: ids.map((id) => `01:${id}:0`), at: 2 }), ids.slice(2));
  t.end();
});

test('read is the last that a text becomes, and its hour is that of its delivery', (t) => {
  const sent = (state: 'queued' | 'delivered' | 'read' | 'failed', at: number): Event => ({
    t: 'sent',
    id: 'm1',
    state,
    at,
  });
  const after = (...events: readonly Event[]) => fold([...story, ...events]).outgoing.get('m1');
  t.match(after(sent('delivered', 9), sent('read', 20), sent('failed', 30)), { state: 'read', done: 9 });
  t.match(after(sent('queued', 9), sent('read', 20), sent('delivered', 30)), { state: 'read', done: 20 });
  t.end();
});

test('a name that nobody has any more takes the receipts for it along', (t) => {
  const state = emptyState();
  const keys = { uid: 'aa'.repeat(16), enc: '00', sig: '00' };
  const chain = { sequence: 1, hash: '00' };
  apply(state, { t: 'opened', name: 'bob', keys, at: 1 });
  apply(state, { t: 'receipt-sealed', id: 'r', to: 'bob', ids: ['m'], at: 3, envelope: 'ee', chain });
  apply(state, { t: 'closed', name: 'bob', relation: 'refused', at: 4 });
  apply(state, { t: 'nobody', name: 'bob', at: 6 });
  t.equal(state.receipts.size, 0, 'they are not for the next who is called so');
  t.end();
});
