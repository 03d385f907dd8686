/** Something the operator can mend: one line, exit code 1. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
