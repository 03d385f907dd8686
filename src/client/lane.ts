/** Where texts go: to a contact or to a room. What the outbox has to know of either. */
import type { Struct, Values } from '../../protocol/index.js';
import type { ClientError } from './errors.js';
import type { Draft, Sealed } from './sealing.js';
import type { Outgoing } from './state.js';

export interface Carried {
  readonly struct: Struct;
  readonly values: Values<Struct>;
  /** the same whenever it is sent */
  readonly frameId: Uint8Array;
}

/** What an answer that is neither "delivered" nor "later" means: tried again after a while, sealed anew, given up. */
export type Refusal = 'hold' | 'renew' | 'fail';

export interface Lane {
  /** The name in the tables. @throws ClientError where it can be none */
  destination(typed: string): string;
  /** @throws ClientError where a person may not write there now */
  mayWrite(to: string): void;
  /** A text can be sealed now; otherwise it waits. */
  isOpen(to: string): boolean;
  /** undefined where what it was sealed for is not the same any more. */
  seal(to: string, draft: Draft): Promise<Sealed | undefined>;
  /** Sealed for what is no more: it has to be sealed anew before it is sent. */
  isStale(entry: Outgoing): boolean;
  /** The same texts for what is now, in their order; undefined as in `seal`. */
  sealAnew(
    to: string,
    entries: readonly Outgoing[],
  ): Promise<readonly (Sealed & { readonly id: string })[] | undefined>;
  /** It may be handed over now. */
  mayGo(to: string): boolean;
  /** Something waits that can't be sealed: where that can be changed it is. @returns trying again later helps */
  wake(to: string): boolean;
  carry(entry: Outgoing, part: number): Carried;
  onRefusal(to: string, code: number): Refusal;
  /** Why it waits, to a person. */
  held(to: string): ClientError;
  /** The daemon will not take it. */
  refused(to: string): ClientError;
}
