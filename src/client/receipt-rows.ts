/** Receipts as they change the state: what is owed to contacts, what is sealed, what came (SPEC 7.3, 7.9). */
import { RECEIPT_MAX } from '../../protocol/index.js';
import { advance } from './received.js';
import { isRoom } from './rooms/names.js';
import { RECEIPTS_OWED_MAX, type Chain, type Incoming, type Outgoing, type State } from './state.js';
import { changeSent } from './tables.js';

/** A contact was shown texts of ours. Behind what follows from it: cut off in between, the receipt comes again. */
export interface ReceiptEvent {
  readonly t: 'receipt';
  readonly key: string;
  readonly from: string;
  readonly at: number;
  readonly chain: Chain;
}

/** One of ours: no more is owed of these, and it waits for the daemon. */
export interface ReceiptSealedEvent {
  readonly t: 'receipt-sealed';
  readonly id: string;
  readonly to: string;
  /** of messages */
  readonly ids: readonly string[];
  readonly at: number;
  readonly envelope: string;
  readonly chain: Chain;
}

/** Whether receipts are sent, as a person chose. */
export interface ReceiptsEvent {
  readonly t: 'receipts';
  readonly on: boolean;
}

export type ReceiptEvents = ReceiptEvent | ReceiptSealedEvent | ReceiptsEvent;

const SETTING = 'receipts';

export function sendsReceipts({ settings }: State): boolean {
  return settings.get(SETTING)?.on ?? true;
}

/** Messages that the next receipt to this contact names, oldest first. */
export function nextReceipt({ owed }: State, to: string): readonly string[] {
  return (owed.get(to)?.ids ?? []).slice(0, RECEIPT_MAX);
}

/** Texts to this contact that a receipt of theirs is about; other ids are none of its business. */
export function textsOf({ outgoing }: State, to: string, ids: readonly string[]): Outgoing[] {
  return ids.flatMap((id) => {
    const text = outgoing.get(id);
    const wasSealed = text?.state !== 'waiting' || text.envelope !== undefined;
    return text?.to === to && text.state !== 'read' && wasSealed ? [text] : [];
  });
}

/** Whether what the outbox hands over is one: no text is empty. */
export function isReceipt({ text }: Outgoing): boolean {
  return text === '';
}

export function applyReceipts(state: State, event: ReceiptEvents): void {
  switch (event.t) {
    case 'receipt':
      state.seen.set(event.key, event.at);
      advance(state, event.from, event.chain, event.at);
      return;
    case 'receipt-sealed': {
      const { id, to, ids, at, envelope, chain } = event;
      settle(state, to, ids);
      state.receipts.set(id, { id, order: ++state.order, to, text: '', at, state: 'waiting', envelope });
      changeSent(state, to, chain);
      return;
    }
    case 'receipts':
      state.settings.set(SETTING, { on: event.on });
      if (event.on) return;
      state.owed.clear();
      state.receipts.clear();
  }
}

/** A message was shown: its sender is to know, if a person wants that and it is a contact with these very keys. */
export function owe(state: State, { from, id, key }: Incoming): void {
  if (!sendsReceipts(state) || isRoom(from)) return;
  const contact = state.contacts.get(from);
  if (contact?.relation !== 'open' || !contact.keys || !key.startsWith(`${contact.keys.uid}:`)) return;
  const ids = [...(state.owed.get(from)?.ids ?? []), id].slice(-RECEIPTS_OWED_MAX);
  state.owed.set(from, { to: from, ids });
}

function settle(state: State, to: string, told: readonly string[]): void {
  const ids = (state.owed.get(to)?.ids ?? []).filter((id) => !told.includes(id));
  state.owed.delete(to); // whoever is told more stands behind the others
  if (ids.length > 0) state.owed.set(to, { to, ids });
}

/** Nothing more is said to this contact of what was read until now. */
export function dropReceipts(state: State, to: string): void {
  state.owed.delete(to);
  for (const receipt of state.receipts.values()) if (receipt.to === to) state.receipts.delete(receipt.id);
}
