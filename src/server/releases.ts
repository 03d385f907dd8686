/**
 * The opcode tables of releases, the oldest first (SPEC 3.7). A client keeps the table it was linked with; the daemon knows
 * the older ones, so that an operator who upgrades has nothing to list. A table gets rows and loses none, so that what an
 * older client sends means the same. An event of a new row ends the link of a client that does not know it: whoever adds
 * the first one has it sent to those alone whose table has it.
 *
 * Within a minor version the table stays. A change needs the next one, and a line here; `test/unit/releases.test.ts`
 * holds the last line against the table of this program.
 */
interface Release {
  /** Build number of the first of this minor version (SPEC 4.5). */
  readonly build: number;
  /** H of the table, hexadecimal. */
  readonly table: string;
}

export const releases: readonly Release[] = [
  { build: 1_000, table: '51e2615fc0040f66722e4ae27acd4c13493533ae66a0b5cb4ced6dd68535baf2' }, // 0.1
];

/** Builds of one minor version: the patch is what is left. */
const MINOR = 1_000;

/** The lowest build that is served where the operator says nothing: the first of the minor version before this one. */
export function oldestServed(build: number): number {
  const minor = build - (build % MINOR);
  return releases.filter((release) => release.build < minor).at(-1)?.build ?? minor;
}
