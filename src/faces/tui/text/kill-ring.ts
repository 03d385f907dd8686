/** Texts that were taken out, newest last, to be put in again. */

const KILLS_MAX = 30;

export class KillRing {
  readonly #texts: string[] = [];
  #at = 0;

  /** @param joins with the last one: on its side of it, so that what was taken piece by piece comes back as it stood */
  kill(text: string, joins?: 'before' | 'after'): void {
    if (text === '') return;
    const last = this.#texts.at(-1);
    if (joins === undefined || last === undefined) this.#texts.push(text);
    else this.#texts[this.#texts.length - 1] = joins === 'before' ? text + last : last + text;
    if (this.#texts.length > KILLS_MAX) this.#texts.shift();
    this.#at = this.#texts.length - 1;
  }

  get current(): string | undefined {
    return this.#texts[this.#at];
  }

  /** The one before; behind the oldest the newest again. */
  rotate(): string | undefined {
    this.#at = (this.#at === 0 ? this.#texts.length : this.#at) - 1;
    return this.current;
  }
}
