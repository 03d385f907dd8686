/** The two ranges of opcodes (SPEC 3.1): commands from a client, events from the daemon. */
export const Opcode = {
  crea: 100001,
  auth: 100002,
  pass: 100003,
  crms: 100004,
  jrms: 100005,
  srms: 100006,
  jmpu: 100007,
  ampu: 100008,
  smpu: 100009,
  helo: 100010,
  ackd: 100011,
  keyq: 100012,
  dmpu: 100013,
  bloc: 100014,
  quit: 100015,
  inrm: 100016,
  dcrm: 100017,
  lvrm: 100018,
  dlrm: 100019,
  rtrm: 100020,
  strm: 100021,
  mbrm: 100022,
  mcod: 100023,
  fact: 100024,
  rcod: 100025,
  acct: 100026,
  rvok: 100027,
  pswd: 100028,
  rkey: 100029,
  rcov: 100030,
  dlac: 100031,

  cnnt: 10001,
  rvum: 10002,
  rvrm: 10003,
  dlvd: 10004,
  drnd: 10005,
  rjmp: 10006,
  ramp: 10007,
  rdmp: 10008,
  ansr: 10009,
  clos: 10010,
  ivrm: 10011,
  enrm: 10012,
  lfrm: 10013,
  chrm: 10014,
  ofrm: 10015,
  chky: 10016,
} as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

export const COMMANDS_FROM = 100000;

const names = new Map<number, string>(Object.entries(Opcode).map(([name, opcode]) => [opcode, name]));

/** For logs and messages: the four letters, or the number. */
export function opcodeName(opcode: number): string {
  return names.get(opcode) ?? String(opcode);
}
