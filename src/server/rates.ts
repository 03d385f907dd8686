/** How fast each user and each source may speak, ask and connect: on the path of each frame, and of each connection. */
import type { Limits } from './limits.js';
import { PerKey } from './per-key.js';
import { TokenBucket } from './token-bucket.js';

/** What a frame counts as after a login. */
export type Rate = 'message' | 'command' | 'free';

/** Users of one source may say so much more together than one may. */
const SOURCE_TIMES = 10;

type Buckets = PerKey<TokenBucket>;

const buckets = (perSecond: number, burst: number): Buckets =>
  new PerKey((now) => new TokenBucket(perSecond, burst, now));

export class Rates {
  readonly #messages: Buckets;
  readonly #sourceMessages: Buckets;
  readonly #commands: Buckets;
  readonly #connections: Buckets;

  constructor(limits: Limits) {
    const [perSecond, burst] = [limits['messages-per-second'], limits['message-burst']];
    this.#messages = buckets(perSecond, burst);
    this.#sourceMessages = buckets(SOURCE_TIMES * perSecond, SOURCE_TIMES * burst);
    this.#commands = buckets(limits['commands-per-second'], limits['command-burst']);
    this.#connections = buckets(limits['connections-per-second'], limits['connection-burst']);
  }

  /** Takes one; 0, or the seconds to wait. */
  take(rate: Rate, { uidKey, source }: { readonly uidKey: string; readonly source: string }): number {
    if (rate === 'free') return 0;
    const now = performance.now();
    if (rate === 'command') return this.#commands.get(uidKey, now).take(now);
    return this.#messages.get(uidKey, now).take(now) || this.#sourceMessages.get(source, now).take(now);
  }

  mayConnect(source: string): boolean {
    const now = performance.now();
    return this.#connections.get(source, now).take(now) === 0;
  }
}
