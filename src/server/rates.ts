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

function bucketsOf(limits: Limits) {
  const [perSecond, burst] = [limits['messages-per-second'], limits['message-burst']];
  return {
    messages: buckets(perSecond, burst),
    sourceMessages: buckets(SOURCE_TIMES * perSecond, SOURCE_TIMES * burst),
    commands: buckets(limits['commands-per-second'], limits['command-burst']),
    connections: buckets(limits['connections-per-second'], limits['connection-burst']),
  };
}

export class Rates {
  #all: Readonly<Record<'messages' | 'sourceMessages' | 'commands' | 'connections', Buckets>>;

  constructor(limits: Limits) {
    this.#all = bucketsOf(limits);
  }

  /** Other limits from now on: everybody begins anew, with a full bucket. */
  become(limits: Limits): void {
    this.#all = bucketsOf(limits);
  }

  /** Takes one; 0, or the seconds to wait. */
  take(rate: Rate, { uidKey, source }: { readonly uidKey: string; readonly source: string }): number {
    if (rate === 'free') return 0;
    const now = performance.now();
    if (rate === 'command') return this.#all.commands.get(uidKey, now).take(now);
    return this.#all.messages.get(uidKey, now).take(now) || this.#all.sourceMessages.get(source, now).take(now);
  }

  mayConnect(source: string): boolean {
    const now = performance.now();
    return this.#all.connections.get(source, now).take(now) === 0;
  }
}
