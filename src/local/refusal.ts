/** `in use`: another process answers there. `no socket`: something else is there. `too long`: no socket can have this name. */
export type SocketTrouble = 'in use' | 'no socket' | 'too long';

const advice: Readonly<Record<SocketTrouble, string>> = {
  'in use': 'is in use by another process — stop it, or name another path',
  'no socket': 'is there and no socket — move it away, or name another path',
  'too long': 'has too long a name for a socket — name a shorter one',
};

/** Where nobody can listen, in one line that says what to do. */
export class SocketRefusal extends Error {
  override readonly name = 'SocketRefusal';
  readonly trouble: SocketTrouble;

  constructor(trouble: SocketTrouble, path: string) {
    super(`${path} ${advice[trouble]}`);
    this.trouble = trouble;
  }
}
