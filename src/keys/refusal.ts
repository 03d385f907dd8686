/** Keys that can't be made or used as they are. The message is one line for a person: what, and what to do. */
export class KeysRefusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeysRefusal';
  }
}
