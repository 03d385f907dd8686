/** What the daemon knows of a room, and its bytes in the store: built from the tables of the protocol. */
import {
  fieldsBetween,
  fieldsLength,
  listRow,
  readFields,
  readUint,
  RoomKind,
  RowKind,
  structs,
  writeFields,
  writeUint,
  type Field,
  type Invitation,
  type ListRow,
  type RoomEntry,
  type RoomHead,
  type RoomWrap,
} from '../../protocol/index.js';

/** What somebody who entered said of it, and proves it. */
export type EntryProofs = Omit<RoomEntry, 'uid' | 'name' | 'enc' | 'sig'>;

interface WithBlock {
  /** 256 bytes */
  readonly block: Uint8Array;
}
/** A member in the head's list. */
export interface SettledRow extends ListRow, WithBlock {
  readonly kind: typeof RowKind.settled;
}
/** A member who entered since. */
export interface EnteredRow extends ListRow, WithBlock, EntryProofs {
  readonly kind: typeof RowKind.entered;
}
/** In the head's list, and left since. */
interface LeftRow extends ListRow {
  readonly kind: typeof RowKind.left;
}
export interface InvitedRow extends ListRow, WithBlock, Invitation {
  readonly kind: typeof RowKind.invited;
}
export type MemberRow = SettledRow | EnteredRow;
export type Row = MemberRow | LeftRow | InvitedRow;

export interface RoomState {
  /** of RoomKind */
  readonly kind: number;
  /** Somebody left who knows the key. */
  readonly isClosed: boolean;
  /** of the password; zeros in a room without one, as `auth` and `wrap` */
  readonly salt: Uint8Array;
  /** H(authKey) */
  readonly auth: Uint8Array;
  readonly wrap: RoomWrap;
  readonly head: RoomHead;
  readonly rows: readonly Row[];
  /** who entered in this epoch and left, the newest FORMER_KEYS_MAX: no rows of SPEC 9.10 */
  readonly outs: readonly ListRow[];
}

/** Others know them by their keys until the next epoch. */
export const FORMER_KEYS_MAX = 64;
/** Of `outs`, in the bytes. */
const OUT = 4;

export function isMember(row: Row | undefined): row is MemberRow {
  return row?.kind === RowKind.settled || row?.kind === RowKind.entered;
}

const begin: readonly Field[] = [
  { name: 'format', kind: 'uint', size: 1 },
  { name: 'kind', kind: 'uint', size: 1 },
  { name: 'closed', kind: 'uint', size: 1 },
  ...fieldsBetween(structs.crms.fields, 'salt', 'wrapSalt'),
];
const wrapFields = fieldsBetween(structs.crms.fields, 'wrapSalt', 'block');
const headFields = fieldsBetween(structs.chrm.fields, 'name', 'removed');
const block = fieldsBetween(structs.chrm.fields, 'block', 'name');
const rowFields: Readonly<Record<Row['kind'], readonly Field[]>> = {
  [RowKind.settled]: [...listRow, ...block],
  [RowKind.entered]: [...listRow, ...block, ...fieldsBetween(structs.enrm.fields, 'time')],
  [RowKind.left]: listRow,
  [RowKind.invited]: [...listRow, ...block, ...fieldsBetween(structs.enrm.fields, 'inviter', 'mac')],
};
const FORMAT = 1;
const BEGIN = fieldsLength(begin);
const WRAP = fieldsLength(wrapFields);
const HEAD = fieldsLength(headFields);

type Values = Readonly<Record<string, unknown>>;

export function writeState(state: RoomState): Uint8Array {
  const { kind, isClosed, salt, auth, wrap, head, rows, outs } = state;
  const all = [...rows, ...outs.map((out) => ({ ...out, kind: OUT }))];
  const length = all.reduce((sum, row) => sum + 1 + fieldsLength(fieldsOf(row.kind)), BEGIN + WRAP + HEAD + 2);
  const out = new Uint8Array(length);
  writeFields(begin, { format: FORMAT, kind, closed: Number(isClosed), salt, auth }, out, 0);
  writeFields(wrapFields, wrap as unknown as Values, out, BEGIN);
  writeFields(headFields, head, out, BEGIN + WRAP);
  writeUint(out, BEGIN + WRAP + HEAD, 2, all.length);
  let at = BEGIN + WRAP + HEAD + 2;
  for (const row of all) {
    out[at] = row.kind;
    const fields = fieldsOf(row.kind);
    writeFields(fields, row as unknown as Values, out, at + 1);
    at += 1 + fieldsLength(fields);
  }
  return out;
}

/** Its bytes are views of these. @throws Error where this daemon did not write them */
export function readState(bytes: Uint8Array): RoomState {
  const first = readFields(begin, bytes, 0);
  if (first['format'] !== FORMAT) throw new Error('room: a newer daemon wrote this room');
  const { kind, salt, auth } = first as unknown as RoomState;
  const rows: Row[] = [];
  const outs: ListRow[] = [];
  let at = BEGIN + WRAP + HEAD + 2;
  const count = readUint(bytes, at - 2, 2);
  for (let n = 0; n < count; n++) {
    const row = bytes[at] ?? 0;
    const fields = fieldsOf(row);
    const values = readFields(fields, bytes, at + 1);
    if (row === OUT) outs.push(values as unknown as ListRow);
    else rows.push({ kind: row, ...values } as unknown as Row);
    at += 1 + fieldsLength(fields);
  }
  if (at !== bytes.length) throw new Error('room: its bytes are cut short');
  return {
    kind,
    isClosed: first['closed'] === 1,
    salt,
    auth,
    wrap: readFields(wrapFields, bytes, BEGIN) as unknown as RoomWrap,
    head: readFields(headFields, bytes, BEGIN + WRAP) as unknown as RoomHead,
    rows,
    outs,
  };
}

function fieldsOf(kind: number): readonly Field[] {
  return kind === OUT ? listRow : rowFields[kind as Row['kind']];
}

export function hasPassword({ kind }: Pick<RoomState, 'kind'>): boolean {
  return kind === RoomKind.password;
}
