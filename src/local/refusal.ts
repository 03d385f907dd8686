/**
 * `in use`: another process answers there. `no socket`: something else is there. `too long`: no socket can have this name.
 * `no folder`: there is none, or it is not to be written to. `open folder`: others may put another socket in its place.
 */
export type SocketTrouble = 'in use' | 'no socket' | 'too long' | 'no folder' | 'open folder';

const advice: Readonly<Record<SocketTrouble, string>> = {
  'in use': 'is in use by another process — stop it, or name another place',
  'no socket': 'is there and no socket — move it away, or name another path',
  'no folder': 'can’t be made — check that its folder is there, and yours',
  'open folder': 'is in a folder that others may write to — close it to them, or name another place',
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
