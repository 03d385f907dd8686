/** What stands before a person, be it a screen or lines: asked on the way to a session, and then talked on. */
import type { Trouble } from '../../client/index.js';
import type { Asker } from './start/asker.js';
import type { Talk, TalkListener } from './talk/talk.js';

/** Why a conversation with the core ended. */
export type Ending = { readonly why: 'quit' } | { readonly why: 'ended'; readonly trouble: Trouble };

export interface Front extends Asker, TalkListener {
  /** somebody is there to log in again */
  readonly canAsk: boolean;
  /** Resolves when somebody wants no more of this program, or the terminal is gone. */
  readonly left: Promise<undefined>;
  readonly hasQuit: boolean;
  /** It belongs to what is talked about, until that ends or somebody quits. */
  converse(talk: Talk): Promise<Ending>;
  /** The terminal is as it was. */
  close(): void;
}
