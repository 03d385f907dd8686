/** What the operator asked for and does not get. */

/**
 * `usage`: no such request. `unknown`: nobody, or nothing, has the name. `restart`: it counts from a start on alone.
 * `unable`: this daemon can't. `failed`: it was tried. `network`: another one is served. `internal`: see the log.
 */
export type ControlCode = 'usage' | 'unknown' | 'restart' | 'unable' | 'failed' | 'network' | 'internal';

export class ControlRefusal extends Error {
  override readonly name = 'ControlRefusal';
  readonly code: ControlCode;

  /** @param message one line: what, and what to do */
  constructor(code: ControlCode, message: string) {
    super(message);
    this.code = code;
  }
}
