import { test } from 'tap';
import { apply, snapshot, type Event } from '../../src/client/reducer.js';
import { emptyState, NOTICES_MAX, type State } from '../../src/client/state.js';

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
