/** What the banner is about, and the safety words of who asks. */
import { HOME, type Conversation } from '../talk/conversation.js';
import type { Talk } from '../talk/talk.js';

export class Asking {
  readonly #talk: Talk;
  /** by name and fingerprint; empty while they are asked for */
  readonly #words = new Map<string, string>();

  constructor(talk: Talk) {
    this.#talk = talk;
  }

  /** The conversation that is shown, or at home whoever asks first. */
  about(current: Conversation): Conversation {
    if (current.key !== HOME) return current;
    return this.#talk.list().find((one) => one.asks === 'request' || one.asks === 'invitation') ?? current;
  }

  /** The safety number as words; empty where nobody asks, or it is not known yet. */
  wordsOf(one: Conversation): string {
    return this.#words.get(keyOf(one)) ?? '';
  }

  /** The words of who asks, where they are not known; undefined where there is nothing to learn. */
  learn(one: Conversation): Promise<void> | undefined {
    const key = keyOf(one);
    if (one.asks !== 'request' || this.#words.has(key)) return undefined;
    this.#words.set(key, '');
    return this.#talk.client.call('verify', { name: one.key }).then(({ words }) => {
      this.#words.set(key, words.join(' '));
    });
  }
}

function keyOf(one: Conversation): string {
  return `${one.key}:${one.contact?.fingerprint ?? ''}`;
}
