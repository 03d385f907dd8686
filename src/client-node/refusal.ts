/** A folder or file that is not used as it is: what, and what to do. */
export class HomeRefusal extends Error {
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.name = 'HomeRefusal';
    this.hint = hint;
  }
}
