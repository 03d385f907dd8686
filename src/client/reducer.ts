/** Events and what they do to the state. No I/O, no clock: a log replayed gives the same state. */
import {
  applyAhead,
  applyPin,
  applyRekeyed,
  rememberDeclined,
  type AheadEvent,
  type PinEvent,
  type RekeyedEvent,
} from './pins.js';
import { applyReceipts, dropReceipts, owe, type ReceiptEvents } from './receipt-rows.js';
import { restamp } from './retention.js';
import {
  EARLIER_MAX,
  type Action,
  type Chain,
  type Grant,
  type Keys,
  type Outgoing,
  type OutgoingState,
  type Relation,
  type State,
  tableNames,
} from './state.js';
import {
  applyGap,
  applyGivenUp,
  applyIncomplete,
  applyMessage,
  applyPart,
  type GapEvent,
  type GivenUpEvent,
  type IncompleteEvent,
  type MessageEvent,
  type PartEvent,
} from './received.js';
import { applyRoom, type RoomEvent } from './rooms/reduce.js';
import { addNotice, changeSent, dropRow, relate, setOwn, type NoticeEvent } from './tables.js';

export type Event =
  /** a row of a snapshot, as a compaction wrote it */
  | { readonly t: 'row'; readonly table: (typeof tableNames)[number]; readonly key: string; readonly value: unknown }
  | { readonly t: 'asked'; readonly name: string; readonly hash: string; readonly action: Action; readonly at: number }
  | { readonly t: 'requested'; readonly name: string; readonly keys: Keys; readonly hash: string; readonly at: number }
  /** both agreed; `action` tells the other where they may not know, `theirs` is the request that it answers */
  | {
      readonly t: 'opened';
      readonly name: string;
      readonly keys: Keys;
      readonly action?: Action;
      readonly theirs?: string;
      readonly at: number;
    }
  | {
      readonly t: 'closed';
      readonly name: string;
      readonly relation: Relation;
      readonly action?: Action;
      readonly at: number;
    }
  /** our request found nobody: nothing is kept of it */
  | { readonly t: 'nobody'; readonly name: string; readonly at: number }
  /** the daemon knows that we declined: nothing is kept but the request's hash */
  | { readonly t: 'forgotten'; readonly name: string; readonly at: number }
  | PinEvent
  | AheadEvent
  | RekeyedEvent
  | RoomEvent
  | { readonly t: 'settled'; readonly frame: string }
  | {
      readonly t: 'text';
      readonly id: string;
      readonly to: string;
      readonly text: string;
      readonly at: number;
      readonly envelope?: string;
      readonly chain?: Chain;
    }
  | { readonly t: 'sealed'; readonly id: string; readonly envelope: string; readonly chain: Chain }
  /** `parts`: of a message in several, how far each of them is */
  | {
      readonly t: 'sent';
      readonly id: string;
      readonly state: OutgoingState;
      readonly at: number;
      readonly parts?: string;
    }
  /** a part is further, the message as a whole is not */
  | { readonly t: 'portion'; readonly id: string; readonly parts: string }
  | MessageEvent
  | PartEvent
  | IncompleteEvent
  | GivenUpEvent
  | GapEvent
  | ReceiptEvents
  | NoticeEvent
  | { readonly t: 'read'; readonly keys: readonly string[]; readonly at: number }
  | { readonly t: 'expired'; readonly keys: readonly string[] }
  /** the clock was set back: what was read or delivered in a time to come has its hour from now */
  | { readonly t: 'restamped'; readonly keys: readonly string[]; readonly at: number }
  | { readonly t: 'grant'; readonly grant?: Grant };

type EventOf<T extends Event['t']> = Extract<Event, { t: T }>;

export function apply(state: State, event: Event): void {
  switch (event.t) {
    case 'row':
      return applyRow(state, event);
    case 'asked':
      return applyAsked(state, event);
    case 'requested':
      return relate(state, event.name, {
        relation: 'requested',
        since: event.at,
        theirs: event.hash,
        keys: event.keys,
      });
    case 'opened':
      return applyOpened(state, event);
    case 'closed':
      relate(state, event.name, { relation: event.relation, since: event.at });
      state.owed.delete(event.name);
      if (event.action) state.actions.set(event.action.frame, event.action);
      return;
    case 'nobody':
      return applyNobody(state, event);
    case 'forgotten':
      return applyForgotten(state, event);
    case 'settled':
      state.actions.delete(event.frame);
      return;
    case 'text':
      return applyText(state, event);
    case 'sealed':
      return applySealed(state, event);
    case 'sent':
      return applySent(state, event);
    case 'portion':
      return applyPortion(state, event);
    case 'message':
      return applyMessage(state, event);
    case 'part':
      return applyPart(state, event);
    case 'incomplete':
      return applyIncomplete(state, event);
    case 'given-up':
      return applyGivenUp(state, event);
    case 'notice':
      return addNotice(state, event);
    case 'gap':
      return applyGap(state, event);
    case 'read':
      return applyRead(state, event);
    case 'receipt':
    case 'receipt-sealed':
    case 'receipts':
      return applyReceipts(state, event);
    case 'expired':
      for (const key of event.keys)
        for (const table of ['incoming', 'notices', 'outgoing'] as const) dropRow(state, table, key);
      return;
    case 'ahead':
      return applyAhead(state, event);
    case 'rekeyed':
      return applyRekeyed(state, event);
    case 'restamped':
      return restamp(state, event.keys, event.at);
    case 'grant':
      if (event.grant) state.grant.set('grant', event.grant);
      else state.grant.clear();
      return;
    case 'room':
    case 'members':
    case 'room-gone':
    case 'held':
    case 'unheld':
    case 'offer':
      return applyRoom(state, event);
    default:
      return applyPin(state, event);
  }
}

function applyAsked(state: State, { name, hash, action, at }: EventOf<'asked'>): void {
  const { request, earlier = [] } = state.contacts.get(name) ?? {};
  const before = request === undefined ? {} : { earlier: [request, ...earlier].slice(0, EARLIER_MAX) };
  relate(state, name, { relation: 'asked', since: at, request: hash, ...before });
  state.actions.set(action.frame, action);
}

function applyRow(state: State, event: EventOf<'row'>): void {
  const table: Map<string, unknown> = state[event.table];
  table.set(event.key, event.value);
  const order = (event.value as { order?: number }).order;
  if (order !== undefined && order > state.order) state.order = order;
}

/** An acceptance of an earlier request that is not answered yet is of no more use. */
function applyOpened(state: State, event: EventOf<'opened'>): void {
  const { name, keys, action, theirs, at } = event;
  relate(state, name, { relation: 'open', since: at, keys, ...(theirs === undefined ? {} : { theirs }) });
  if (!action) return;
  for (const one of state.actions.values())
    if (one.name === name && one.command === action.command) state.actions.delete(one.frame);
  state.actions.set(action.frame, action);
}

/** A row whose chains moved stays: without them the next message would look like a first one. */
function applyForgotten(state: State, event: EventOf<'forgotten'>): void {
  const row = state.contacts.get(event.name);
  if (row?.relation !== 'declined' || row.sent.sequence + row.received.sequence > 0) return;
  state.contacts.delete(event.name);
  if (row.theirs === undefined) return;
  rememberDeclined(state, row.theirs, event.at);
}

function applyNobody(state: State, event: EventOf<'nobody'>): void {
  dropReceipts(state, event.name);
  state.contacts.delete(event.name);
  for (const entry of state.outgoing.values())
    if (entry.to === event.name && entry.state === 'waiting')
      setOwn(state, { ...entry, state: 'failed', done: event.at });
}

function applyText(state: State, event: EventOf<'text'>): void {
  const { id, to, text, at, envelope } = event;
  const row: Outgoing = { id, order: ++state.order, to, text, at, state: 'waiting' };
  setOwn(state, envelope === undefined ? row : { ...row, envelope });
  if (event.chain) changeSent(state, to, event.chain);
}

function applySealed(state: State, event: EventOf<'sealed'>): void {
  const entry = state.outgoing.get(event.id);
  if (!entry) return;
  state.outgoing.set(event.id, { ...entry, envelope: event.envelope });
  changeSent(state, entry.to, event.chain);
}

const progress: Readonly<Record<OutgoingState, number>> = { waiting: 0, queued: 1, delivered: 2, failed: 2, read: 3 };

/** Never back: the note of a delivery may come before the answer "queued". Of a receipt nothing stays. */
function applySent(state: State, event: EventOf<'sent'>): void {
  if (state.receipts.delete(event.id)) return;
  const entry = state.outgoing.get(event.id);
  if (!entry || progress[event.state] <= progress[entry.state]) return;
  const { envelope: _spent, parts: _before, ...rest } = entry;
  const done = event.state === 'queued' ? {} : { done: entry.done ?? event.at };
  const parts = event.parts === undefined ? {} : { parts: event.parts };
  state.outgoing.set(event.id, { ...rest, ...parts, ...done, state: event.state });
}

function applyPortion(state: State, event: EventOf<'portion'>): void {
  const entry = state.outgoing.get(event.id);
  if (entry) state.outgoing.set(event.id, { ...entry, parts: event.parts });
}

/** `read` stands first: behind a copy, V8 gives each row a shape of its own, and looking at many takes ten times as long. */
function applyRead(state: State, { keys, at: read }: EventOf<'read'>): void {
  for (const key of keys) {
    const message = state.incoming.get(key);
    if (message && message.read === undefined) {
      state.incoming.set(key, { read, ...message });
      owe(state, message);
    }
    const notice = state.notices.get(key);
    if (notice && notice.read === undefined) state.notices.set(key, { read, ...notice });
  }
}

/** The events that rebuild a state: what a compaction writes. */
export function* snapshot(state: State): Generator<Event> {
  for (const table of tableNames)
    for (const [key, value] of state[table] as ReadonlyMap<string, unknown>) yield { t: 'row', table, key, value };
}

export function rowCount(state: State): number {
  return tableNames.reduce((sum, table) => sum + state[table].size, 0);
}
