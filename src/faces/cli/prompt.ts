/** Questions on a terminal; the answers are not shown, unless the question says so. */
import { StringDecoder } from 'node:string_decoder';
import { mistake } from './failure.js';
import type { Host } from './host.js';

const ANSWER_MAX = 1024;
const Key = {
  interrupt: '\u0003',
  end: '\u0004',
  backspace: '\u007f',
  rubout: '\b',
  kill: '\u0015',
  escape: '\u001b',
} as const;

export class Prompter {
  readonly #host: Host;
  readonly #decoder = new StringDecoder('utf8');
  /** What was typed or pasted ahead of the next question. */
  #ahead = '';

  constructor(host: Host) {
    this.#host = host;
  }

  get possible(): boolean {
    return this.#host.stdin.isTTY === true;
  }

  /** For what is no secret. @throws ClientError `cancelled` */
  visible(question: string): Promise<string> {
    return this.#ask(question, (character) => (/[ -~]/.test(character) ? character : '?'));
  }

  /**
   * The terminal does not echo from the first question to `close`, so that nothing pasted ahead shows.
   * @throws ClientError `cancelled`
   */
  hidden(question: string): Promise<string> {
    return this.#ask(question, () => '*');
  }

  /** @param echo what is shown for a character that was typed, one column wide */
  async #ask(question: string, echo: (character: string) => string): Promise<string> {
    const { stdin, stderr } = this.#host;
    stdin.setRawMode?.(true);
    stderr.write(question);
    try {
      return await this.#line(echo);
    } finally {
      stderr.write('\n');
    }
  }

  /** A line between two questions. */
  tell(line: string): void {
    this.#host.stderr.write(`${line}\n`);
  }

  close(): void {
    const { stdin } = this.#host;
    if (!this.possible) return;
    stdin.setRawMode?.(false);
    stdin.pause();
  }

  #line(echo: (character: string) => string): Promise<string> {
    const { stdin, stderr, signal, interrupt } = this.#host;
    return new Promise((resolve, reject) => {
      let typed: string[] = [];
      let escape = false;
      /* What did not fit: a part of a secret is another secret. */
      let left = 0;
      const finish = (settle: () => void): void => {
        stdin.off('data', take);
        stdin.off('end', cancel);
        signal.removeEventListener('abort', cancel);
        settle();
      };
      const cancel = (): void => {
        finish(() => {
          reject(mistake('cancelled', 'cancelled', 'start again when you like'));
        });
      };
      const key = (character: string): 'done' | 'cancel' | 'long' | undefined => {
        if (escape) {
          escape = !/[A-Za-z~]/.test(character); // arrows and the like are passed over to their last letter
          return undefined;
        }
        if (character === '\r' || character === '\n') return left > 0 ? 'long' : 'done';
        if (character === Key.interrupt) {
          interrupt(); // it aborts, and so cancels
          return 'cancel';
        }
        if (character === Key.end && typed.length === 0) return 'cancel';
        if (character === Key.escape) escape = true;
        else if (character === Key.kill) {
          stderr.write('\b \b'.repeat(typed.length));
          typed = [];
          left = 0;
        } else if (character === Key.backspace || character === Key.rubout) {
          if (left > 0) left--;
          else if (typed.pop() !== undefined) stderr.write('\b \b');
        } else if (character >= ' ') {
          if (typed.length === ANSWER_MAX) left++;
          else {
            typed.push(character);
            stderr.write(echo(character));
          }
        }
        return undefined;
      };
      const take = (chunk: Buffer | string): void => {
        const characters = [...this.#ahead, ...(typeof chunk === 'string' ? chunk : this.#decoder.write(chunk))];
        this.#ahead = '';
        for (const [index, character] of characters.entries()) {
          const end = key(character);
          if (end === undefined) continue;
          this.#ahead = characters
            .slice(index + 1)
            .join('')
            .replace(/^\n/, '');
          if (end === 'cancel') cancel();
          else if (end === 'long')
            finish(() => {
              reject(mistake('too-long', `an answer has ${String(ANSWER_MAX)} characters at most`, 'type less'));
            });
          else
            finish(() => {
              resolve(typed.join(''));
            });
          return;
        }
      };
      stdin.on('data', take);
      stdin.once('end', cancel);
      signal.addEventListener('abort', cancel, { once: true });
      stdin.resume();
      if (this.#ahead !== '') take('');
    });
  }
}
