/** The tables of SPEC.md between its markers, written from the layouts. */
import {
  ANSWER_HEADER,
  allStructs,
  COMMAND_HEADER,
  envelopeFields,
  fieldLength,
  fieldsLength,
  headerLength,
  hex,
  Opcode,
  opcodeName,
  tableHash,
  uintMax,
  type Field,
  type Struct,
} from '../../protocol/index.js';
import { nodeSync } from '../../src/crypto/index.js';

const BEGIN = '<!-- tables:begin -->';
const END = '<!-- tables:end -->';

type Row = readonly string[];

/** Columns padded to their widest cell, as the formatter of the project leaves a table. */
function table(head: Row, rows: readonly Row[]): string {
  const widths = head.map((cell, i) => Math.max(3, cell.length, ...rows.map((row) => (row[i] ?? '').length)));
  const line = (row: Row): string => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

function form(field: Field): string {
  switch (field.kind) {
    case 'uint':
      return `u${String(8 * field.size)}${field.max === undefined ? '' : `, at most ${String(uintMax(field))}`}`;
    case 'bytes':
      return 'bytes';
    case 'name':
      return 'name';
    case 'data':
      return `data, at most ${String(field.max)} bytes`;
    case 'list':
      return `list, at most ${String(field.max)} rows of ${String(fieldsLength(field.of))} bytes`;
  }
}

function fieldRows(fields: readonly Field[], from: number): Row[] {
  let at = from;
  return fields.map((field) => {
    const row = [String(at), String(fieldLength(field)), `\`${field.name}\``, form(field)];
    at += fieldLength(field);
    return row;
  });
}

const columns = ['offset', 'length', 'field', 'kind'];

function rowTables(fields: readonly Field[]): string[] {
  return fields.flatMap((field) =>
    field.kind === 'list'
      ? [`One row of \`${field.name}\`, offsets from the row's first byte:`, table(columns, fieldRows(field.of, 0))]
      : [],
  );
}

function structTable(struct: Struct): string[] {
  const header = headerLength(struct);
  const end = header + fieldsLength(struct.fields);
  const opcode =
    struct.opcode === 0 ? 'the opcode that it answers' : `${String(struct.opcode)} ${opcodeName(struct.opcode)}`;
  const step = struct.opcode === 0 ? 'the step that it answers' : String(struct.step);
  const rows = [
    ['0', String(header), '', `the header of 3.3${struct.from === 'daemon' ? ' with status and code' : ''}`],
    ...fieldRows(struct.fields, header),
    ...(end < struct.size ? [[String(end), String(struct.size - end), '', 'zeros']] : []),
  ];
  return [
    `#### \`${struct.name}\``,
    `From the ${struct.from}; opcode ${opcode}; step ${step}; ${String(struct.size)} bytes.`,
    table(columns, rows),
    ...rowTables(struct.fields),
  ];
}

function opcodeTable(): string {
  const used = (opcode: number): string =>
    allStructs
      .filter((struct) => struct.opcode === opcode)
      .map((struct) => `\`${struct.name}\``)
      .join(', ');
  const rows = Object.entries(Opcode).map(([name, opcode]) => [String(opcode), name, used(opcode)]);
  return table(['opcode', 'name', 'structs'], rows);
}

function headerTable(): string {
  return table(columns, [
    ['0', '1', 'version', 'u8, 1'],
    ['1', '1', 'step', 'u8'],
    ['2', '4', 'opcode', 'u32'],
    ['6', '16', 'frame id', 'bytes'],
    ['22', '8', 'time', 'u64, ms since 1970-01-01T00:00:00Z'],
    [String(COMMAND_HEADER), '1', 'status', `u8; from the daemon alone`],
    [
      String(COMMAND_HEADER + 1),
      '2',
      'code',
      `u16; from the daemon alone; the header then has ${String(ANSWER_HEADER)} bytes`,
    ],
  ]);
}

/** Opcodes, header, every struct, the envelope's header and the table's hash. */
function specTables(): string {
  return [
    '### 10.1 Opcodes and their structs',
    opcodeTable(),
    '### 10.2 Header',
    headerTable(),
    '### 10.3 Structs',
    ...allStructs.flatMap(structTable),
    '### 10.4 Header of an envelope (HDR)',
    table(columns, fieldRows(envelopeFields, 0)),
    '### 10.5 Hash of the opcode table',
    `The canonical text of 3.7 for these structs has the SHA-256 \`${hex(tableHash((text) => nodeSync.sha256(text)))}\`.`,
  ].join('\n\n');
}

/** @throws Error where the text lacks the two markers */
export function withTables(spec: string): string {
  const [begin, end] = [spec.indexOf(BEGIN), spec.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error('SPEC.md lacks the markers of its tables');
  return `${spec.slice(0, begin + BEGIN.length)}\n\n${specTables()}\n\n${spec.slice(end)}`;
}
