/** One command as the table has it, and what all of them do with what was typed behind them. */
import { ClientError, Exit } from '../../../client/index.js';
import type { Conversation } from '../talk/conversation.js';
import type { Surface } from './surface.js';

export interface Command {
  readonly name: string;
  /** what stands behind it */
  readonly usage: string;
  readonly what: string;
  /** it leads to another conversation: what is typed behind it is for there */
  readonly moves?: true;
  /**
   * @param rest what was typed behind the name, without the spaces around it
   * @param where it was typed: by now another conversation may be shown
   * @throws ClientError
   */
  run(surface: Surface, rest: string, where: Conversation): Promise<void> | void;
}

/** A mistake that this face itself found. */
export function mistake(message: string, hint: string): ClientError {
  return new ClientError({ code: 'usage', message, hint, exit: Exit.mistake });
}

/** The first word and what follows it. */
export function split(rest: string): [word: string, rest: string] {
  const [, word = '', more = ''] = /^(\S*)\s*([\s\S]*)$/.exec(rest) ?? [];
  return [word, more];
}

/** As the core takes a name: without its @. */
export const withoutAt = (name: string): string => name.replace(/^@/, '');

/** The person that was named, or the one whose conversation it was typed in. @throws ClientError */
export function personOf(where: Conversation, named: string): string {
  if (named !== '') return withoutAt(named);
  if (where.contact) return where.key;
  throw mistake('whom?', 'name somebody: @name');
}

/** The room that was named, or the one that it was typed in, and what follows. @throws ClientError */
export function roomOf(where: Conversation, rest: string): [room: string, rest: string] {
  const [word, more] = split(rest);
  if (word.startsWith('#')) return [word.slice(1), more];
  if (where.isRoom) return [where.key.slice(1), rest];
  throw mistake('which room?', 'name it: #name');
}
