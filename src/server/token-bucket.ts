/** How fast one may do what is done often: so many at once, then so many in a second. On the path of a message. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  /** @param now ms of a clock that never goes back */
  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** Takes one; 0, or the seconds to wait where nothing is left. */
  take(now: number): number {
    this.#fill(now);
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) / this.#perSecond);
    this.#tokens--;
    return 0;
  }

  /** It says no more than a new one would. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#tokens >= this.#burst;
  }

  #fill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
  }
}

/** Buckets that are looked at for each new one: more go than come. */
const LOOKS = 2;

/** One for each who takes: a new connection has what the one before it left. */
export class TokenBuckets {
  readonly #make: (now: number) => TokenBucket;
  readonly #buckets = new Map<string, TokenBucket>();

  /** @param make a full one */
  constructor(make: (now: number) => TokenBucket) {
    this.#make = make;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one of this one's; as `TokenBucket.take`. */
  take(key: string, now: number): number {
    const known = this.#buckets.get(key);
    if (known) return known.take(now);
    for (const [other, bucket] of [...this.#first()]) {
      this.#buckets.delete(other);
      if (!bucket.isFull(now)) this.#buckets.set(other, bucket); // to the end
    }
    const bucket = this.#make(now);
    this.#buckets.set(key, bucket);
    return bucket.take(now);
  }

  *#first(): Generator<readonly [string, TokenBucket]> {
    let looks = 0;
    for (const each of this.#buckets) {
      if (++looks > LOOKS) return;
      yield each;
    }
  }
}
