/** Pages of what a screen shows, and what stands beside names: how much is unread, and how new the newest is. */
import { test } from 'tap';
import type { Desk } from '../../src/client/desk.js';
import type { Row } from '../../src/client/index.js';
import { Inbox } from '../../src/client/inbox.js';
import { tallies } from '../../src/client/places.js';
import { apply, type Event } from '../../src/client/reducer.js';
import { PAGE } from '../../src/client/rows.js';
import { emptyState, type Room, type State } from '../../src/client/state.js';
import { Seeded } from '../vectors/seeded.js';

const seed = process.env['SEED'] ?? String(Date.now());
const NEWEST = Number.MAX_SAFE_INTEGER;
const keys = { uid: '01', enc: '02', sig: '03' };

function fold(...events: readonly Event[]): State {
  const state = emptyState();
  for (const name of ['bob', 'carol']) apply(state, { t: 'opened', name, keys, at: 7 });
  for (const event of events) apply(state, event);
  return state;
}

const inboxOf = (state: State): Inbox => new Inbox({ journal: { state } } as unknown as Desk);

const said = (from: string, sequence: number, at = 1, text = `${from} ${String(sequence)}`): Event => {
  const key = `${from}:${String(sequence)}:0`;
  return { t: 'message', key, id: key, from, text, time: 1, at, chain: { sequence, hash: '' } };
};
const own = (id: string, to: string, at = 1): Event => ({ t: 'text', id, to, text: id, at });
const told = (key: string, name: string, at = 1): Event => ({ t: 'notice', key, kind: 'gap', name, detail: '', at });
const wordsOf = (rows: readonly Row[]): string[] => rows.map((row) => (row.type === 'notice' ? row.key : row.text));

/** From the newest page back to the first, as somebody scrolls. */
function scrolled(inbox: Inbox, name: string): Row[][] {
  const pages: Row[][] = [];
  for (let before = NEWEST; ;) {
    const { rows, more } = inbox.page(name, before);
    pages.unshift(rows);
    if (!more) return pages;
    before = rows[0]?.order ?? 0;
  }
}

test('messages, own texts and notices in one order; what came late stands among what its sender wrote before', (t) => {
  const inbox = inboxOf(
    fold(said('bob', 1), own('mine', 'bob'), said('bob', 3), told('gap', 'bob'), said('carol', 1), said('bob', 2)),
  );
  const { rows, more } = inbox.page('bob', NEWEST);
  t.same(wordsOf(rows), ['bob 1', 'mine', 'bob 2', 'gap', 'bob 3']);
  t.same(
    rows.map(({ order }) => order),
    [1, 2, 3, 4, 6],
  );
  t.notOk(more);
  t.same(wordsOf(inbox.page('bob', 4).rows), ['bob 1', 'mine', 'bob 2'], 'before a row as it was shown');
  t.match(rows[0], { type: 'message', from: 'bob', key: 'bob:1:0', read: undefined });
  t.match(rows[1], { type: 'out', id: 'mine', to: 'bob', state: 'waiting' });
  t.match(rows[3], { type: 'notice', kind: 'gap', name: 'bob' });
  t.end();
});

test('rooms: what was said there, and notices of the room and about people in it', (t) => {
  const room: Omit<Room, 'sent'> = {
    ...({ key: '#garden', id: '0a', kind: 'password', standing: 'member', owner: '01' } as const),
    ...{ version: 1, epoch: 1, head: '', wrapKey: '', closed: false },
  };
  const state = fold(
    { t: 'room', room },
    { t: 'room', room: { ...room, key: '#gardens', id: '0b' } },
    said('#garden@bob', 1),
    said('#gardens@bob', 1),
    own('mine', '#garden'),
    told('of the room', '#garden'),
    told('of somebody', '#garden@carol'),
    told('of another', '#gardens@carol'),
    told('of none', '#gone@carol'),
    told('of nobody', ''),
    told('of a stranger', 'mallory'),
    told('of bob', 'bob'),
  );
  const inbox = inboxOf(state);
  const { rows } = inbox.page('#garden', NEWEST);
  t.same(wordsOf(rows), ['#garden@bob 1', 'mine', 'of the room', 'of somebody']);
  t.match(rows[0], { from: 'bob', room: 'garden' });
  t.match(rows[3], { name: 'carol', room: 'garden' });
  t.same(wordsOf(inbox.page('', NEWEST).rows), ['of none', 'of nobody', 'of a stranger'], 'of the account');
  t.same(wordsOf(inbox.page('bob', NEWEST).rows), ['of bob']);
  apply(state, { t: 'room-gone', room: '#garden', at: 9 });
  t.same(
    wordsOf(inbox.page('', NEWEST).rows),
    ['of the room', 'of somebody', 'of none', 'of nobody', 'of a stranger'],
    'notices outlive their room',
  );
  apply(state, { t: 'offer', offer: { key: '#gone', secret: '' } });
  t.same(wordsOf(inbox.page('#gone', NEWEST).rows), ['of none'], 'a room that is only offered');
  t.end();
});

test('a page has so many rows, so many characters, and one row at least', (t) => {
  const many = Array.from({ length: PAGE }, (_, index) => said('bob', index + 1));
  const full = inboxOf(fold(...many));
  t.match(full.page('bob', NEWEST), { more: false });
  t.equal(full.page('bob', NEWEST).rows.length, PAGE);
  const over = inboxOf(fold(...many, own('mine', 'bob')));
  t.match(over.page('bob', NEWEST), { more: true });
  t.equal(over.page('bob', NEWEST).rows.length, PAGE);
  t.same(wordsOf(over.page('bob', 2).rows), ['bob 1']);
  t.same(over.page('bob', 1), { rows: [], more: false });
  const half = 'x'.repeat(512 * 1024);
  const long = inboxOf(
    fold(said('bob', 1, 1, half), said('bob', 2, 1, `${half}${half}${half}`), told('gap', 'bob'), said('bob', 3)),
  );
  t.same(
    scrolled(long, 'bob').map((rows) => rows.map(({ order }) => order)),
    [[1], [2], [3, 4]],
  );
  t.end();
});

test(`scrolled back, each row comes once and in the order of history (SEED=${seed})`, (t) => {
  for (let round = 0; round < 10; round++) {
    const seeded = new Seeded(`pages ${seed} ${String(round)}`);
    const sequences = new Map<string, number>();
    const late: Event[] = [];
    const state = fold();
    for (let i = 0; i < 1000; i++) {
      const from = seeded.pick(['bob', 'carol']);
      const what = seeded.below(8);
      if (what === 0) apply(state, own(`own ${String(i)}`, from));
      else if (what === 1) apply(state, told(`told ${String(i)}`, from));
      else {
        const sequence = (sequences.get(from) ?? 0) + 1;
        sequences.set(from, sequence);
        if (seeded.below(10) === 0) late.push(said(from, sequence));
        else apply(state, said(from, sequence));
      }
      if (late.length > 0 && seeded.below(20) === 0)
        apply(state, late.splice(seeded.below(late.length), 1)[0] as Event);
    }
    const inbox = inboxOf(state);
    for (const name of ['bob', 'carol']) {
      const lines: { order: number; word: string }[] = [];
      for (let after = 0, more = true; more;) {
        const found = inbox.history(name, after);
        lines.push(...found.lines.map(({ order, text }) => ({ order, word: text })));
        [after, more] = [found.lines.at(-1)?.order ?? after, found.more];
      }
      for (const { name: of, order, key } of state.notices.values()) if (of === name) lines.push({ order, word: key });
      lines.sort((a, b) => a.order - b.order);
      const pages = scrolled(inbox, name);
      t.ok(pages.length > 1);
      t.same(
        wordsOf(pages.flat()),
        lines.map(({ word }) => word),
        `round ${String(round)}, ${name}`,
      );
    }
  }
  t.end();
});

test('of each place how much is unread, and when its newest row came', (t) => {
  const state = fold(
    said('bob', 1, 100),
    told('gap', 'bob', 200),
    own('mine', 'carol', 300),
    said('#garden@bob', 1, 400),
    told('of the room', '#garden', 500),
    told('of somebody', '#garden@carol', 450), // the clock was set back
  );
  apply(state, { t: 'read', keys: ['bob:1:0'], at: 600 });
  const found = tallies(state);
  t.match(found.get('bob'), { unread: 1, latest: 200 });
  t.match(found.get('carol'), { unread: 0, latest: 300 });
  t.match(found.get('#garden'), { unread: 3, latest: 450 });
  t.equal(found.size, 3);
  apply(state, { t: 'expired', keys: ['mine', 'gap'] });
  t.match(tallies(state).get('bob'), { unread: 0, latest: 100 });
  t.notOk(tallies(state).has('carol'));
  t.end();
});
