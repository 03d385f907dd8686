/** One receipt a second, to whoever has waited longest: many contacts who write must not use up what texts need. */
import { test } from 'tap';
import type { Desk } from '../../src/client/desk.js';
import { owe } from '../../src/client/receipt-rows.js';
import { Receipts } from '../../src/client/receipts.js';
import { apply } from '../../src/client/reducer.js';
import { emptyState, type State } from '../../src/client/state.js';

const keysOf = (name: string) => ({ uid: name.padEnd(4, '0'), enc: '00', sig: '00' });

function withContacts(names: readonly string[]): State {
  const state = emptyState();
  for (const name of names) {
    apply(state, { t: 'opened', name, keys: keysOf(name), at: 1 });
    read(state, name, 'm1');
  }
  return state;
}

function read(state: State, from: string, id: string): void {
  owe(state, { key: `${keysOf(from).uid}:${id}:0`, order: 1, id, from, text: 'x', time: 1, at: 1 });
}

interface Paced {
  readonly receipts: Receipts;
  readonly sent: string[];
  readonly state: State;
  readonly held: Set<string>;
  /** A second goes by. */
  readonly tick: () => void;
}

function paced(names: readonly string[]): Paced {
  const state = withContacts(names);
  let due: (() => void) | undefined;
  const after = (_ms: number, run: () => void): (() => void) => {
    due = run;
    return () => (due = undefined);
  };
  const desk = { journal: { state }, ports: { clock: { after } }, background: () => undefined } as unknown as Desk;
  const sent: string[] = [];
  const held = new Set<string>();
  const receipts = new Receipts(desk, {
    mayGo: (to) => !held.has(to),
    send: (to) => {
      sent.push(to);
      state.owed.delete(to);
      return Promise.resolve();
    },
  });
  return { receipts, sent, state, held, tick: () => due?.() };
}

test('one at a time, in turn', (t) => {
  const { receipts, sent, state, held, tick } = paced(['anna', 'berta', 'clara', 'dora']);
  receipts.gather();
  for (let kick = 0; kick < 5; kick++) receipts.look();
  t.same(sent, [], 'what follows at once is waited for');
  held.add('berta');
  tick();
  for (let kick = 0; kick < 5; kick++) receipts.look();
  t.same(sent, ['anna']);
  read(state, 'anna', 'm2');
  receipts.gather();
  tick();
  tick();
  t.same(
    sent,
    ['anna', 'clara', 'dora'],
    'who was just told waits behind the others, who can’t be told holds up nobody',
  );
  tick();
  held.clear();
  tick();
  receipts.look();
  tick();
  t.same(sent, ['anna', 'clara', 'dora', 'anna', 'berta']);
  t.end();
});

test('at the end what was read last goes, and no more than a few', (t) => {
  const names = Array.from({ length: 20 }, (_, at) => `name${String(at)}`);
  const { receipts, sent, tick } = paced(names);
  receipts.gather();
  receipts.close();
  t.same(sent, names.slice(0, 8));
  tick();
  receipts.look();
  receipts.close();
  t.equal(sent.length, 8);
  t.end();
});
