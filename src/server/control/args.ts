/** What comes with a request: checked before anything is done. */
import { toName } from '../../../protocol/index.js';
import { ControlRefusal } from './refusal.js';

export class Args {
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #read = new Set<string>();

  /** @throws ControlRefusal */
  constructor(values: unknown) {
    if (typeof values !== 'object' || values === null || Array.isArray(values)) throw usage('args is an object');
    this.#values = values as Readonly<Record<string, unknown>>;
  }

  has(key: string): boolean {
    return this.#get(key) !== undefined;
  }

  text(key: string): string {
    const value = this.#get(key);
    if (typeof value !== 'string' || value.length > 256) throw usage(`${key} is a text`);
    return value;
  }

  /** Of a user or room, as on the wire. @throws ControlRefusal where nobody can have it */
  name(key: string): string {
    const name = toName(this.text(key));
    if (name === undefined) throw usage(`nobody can have this ${key}`);
    return name;
  }

  flag(key: string): boolean {
    const value = this.#get(key);
    if (typeof value !== 'boolean') throw usage(`${key} is true or false`);
    return value;
  }

  /** A whole number from `min` to `max`. */
  number(key: string, min: number, max: number): number {
    const value = this.#get(key);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
      throw usage(`${key} is a whole number from ${String(min)} to ${String(max)}`);
    return value;
  }

  /** Refuses what nobody asked for: it may have been meant for something. */
  end(): void {
    for (const key of Object.keys(this.#values)) if (!this.#read.has(key)) throw usage('there is an argument too much');
  }

  #get(key: string): unknown {
    this.#read.add(key);
    return Object.hasOwn(this.#values, key) ? this.#values[key] : undefined;
  }
}

export function usage(what: string): ControlRefusal {
  return new ControlRefusal('usage', `${what} — use cadenasd of the daemon’s own version`);
}
