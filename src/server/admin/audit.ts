/** `cadenasd audit`: unauthorised attempts, as the daemon put them on record. Reads files alone; the daemon may run. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { hex } from '../../../protocol/index.js';
import { nodeSync } from '../../crypto/index.js';
import { auditFolder, auditPaths } from '../../ops/audit-file.js';
import { errorCode } from '../../store/journal/disk.js';
import { exists } from '../../store/journal/durable.js';
import { idBytes } from '../../store/journal/records.js';
import { inspectStore } from '../../store/tools/inspect.js';
import { openView } from '../../store/tools/reader.js';
import { auditNameHash, type AuditLine } from '../audit.js';
import {
  beside,
  count,
  Exit,
  files,
  folderOf,
  Mistake,
  Speech,
  userName,
  type ExitCode,
  type Where,
} from './common.js';
import { decoySecretOf } from './secrets.js';

export interface AuditOptions {
  readonly since?: string;
  readonly keys: string;
}

/** The daemon's files are shorter. In bytes. */
const LARGEST = 16 * 1024 * 1024;
const LONGEST = 64;
const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Of whom attempts are shown. */
interface Wanted {
  readonly name: string;
  /** undefined: nobody has the name */
  readonly uid: string | undefined;
  readonly nameHash: string;
}

export async function runAudit(where: Where & AuditOptions, typed: string): Promise<ExitCode> {
  const speech = new Speech(where);
  const folder = folderOf(where);
  if (!(await exists(files, folder))) throw new Mistake(`${folder} is not there — check --data and --network`);
  const since = where.since === undefined ? -Infinity : timeOf(where.since, Date.now());
  const wanted = typed === '' ? undefined : await whom(where, folder, typed);
  const { lines, bad } = await readAll(folder);
  const shown = lines.filter((line) => line.time >= since && (!wanted || isOf(line, wanted)));
  for (const line of shown) speech.say('attempt', { ...line }, rowOf(line, wanted));
  const attempts = shown.reduce((sum, line) => sum + line.count, 0);
  const [first] = lines;
  const of = wanted ? ` of @${wanted.name}${wanted.uid === undefined ? ', a name without an account' : ''}` : '';
  speech.say(
    'result',
    { attempts, lines: shown.length, unreadable: bad, since: first?.time ?? 0 },
    ...(bad > 0 ? [`${count(bad, 'line')} passed over: cut, or not the daemon’s`] : []),
    first
      ? `${count(attempts, 'attempt')}${of}; on record since ${stampOf(first.time)}`
      : `nothing on record in ${auditFolder(folder)}`,
  );
  return Exit.done;
}

async function whom(where: Where & AuditOptions, folder: string, typed: string): Promise<Wanted> {
  const name = userName(typed);
  await inspectStore(files, folder);
  const nameHash = auditNameHash(nodeSync, decoySecretOf(where), name);
  const uid = await beside(folder, async () => (await openView(files, folder)).names.uid(name));
  return { name, uid: uid && hex(idBytes(uid)), nameHash };
}

function isOf(line: AuditLine, { uid, nameHash }: Wanted): boolean {
  return line.nameHash === nameHash || (uid !== undefined && line.uid === uid);
}

function rowOf({ time, reason, source, uid, nameHash, count: times }: AuditLine, wanted: Wanted | undefined): string {
  const whose = uid === undefined ? (nameHash === undefined ? '-' : `name ${nameHash}`) : `uid ${uid}`;
  const who = wanted ? `@${wanted.name}` : whose;
  return `${stampOf(time)}  ${source.padEnd(15)}  ${reason.padEnd(17)}  ${who.padEnd(36)}  ${String(times)}`;
}

function stampOf(time: number): string {
  return new Date(time).toISOString().replace('T', ' ').replace(/\.\d+/, '');
}

/** ms since 1970. @throws Mistake */
function timeOf(text: string, now: number): number {
  const [, number, unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  if (number !== undefined) return now - 1000 * Number(number) * (units[unit] ?? 0);
  const [, day, clock = '00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text) ?? [];
  const time = day === undefined ? NaN : Date.parse(`${day}T${clock}${zone}`);
  if (Number.isNaN(time))
    throw new Mistake('--since is no time — write 30m, 12h or 7d, or a time as 2026-01-31 or 2026-01-31T18:00 (UTC)');
  return time;
}

/** The oldest first. */
async function readAll(folder: string): Promise<{ readonly lines: readonly AuditLine[]; readonly bad: number }> {
  const all: AuditLine[][] = [];
  const seen = new Set<number>();
  let bad = 0;
  /* The newest first: when the daemon goes on to the next file meanwhile, none is left out, and none read twice. */
  for (const path of auditPaths(folder)) {
    const lines: AuditLine[] = [];
    for (const text of await textLines(path, seen)) {
      const line = readLine(text);
      if (line) lines.push(line);
      else bad++;
    }
    all.unshift(lines);
  }
  return { lines: all.flat(), bad };
}

async function textLines(path: string, seen: Set<number>): Promise<readonly string[]> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file;
  try {
    file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
  try {
    const { ino, size } = await file.stat();
    if (seen.has(ino)) return [];
    seen.add(ino);
    if (size > LARGEST) throw new Mistake(`${path} is longer than the daemon makes it — look at it, or move it aside`);
    const text = await file.readFile('utf8');
    return text.split('\n').filter((line) => line !== '');
  } finally {
    await file.close();
  }
}

/** undefined: cut, or not written by the daemon. */
function readLine(text: string): AuditLine | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // what is passed over is counted
  }
  const { time, reason, source, uid, nameHash, count: times } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (!isCount(time, 8.64e15) || !isCount(times, Number.MAX_SAFE_INTEGER)) return undefined;
  if (!isShort(reason) || !isShort(source)) return undefined;
  const line = { time, reason, source, count: times };
  if (uid !== undefined) return isHex(uid, 32) ? { ...line, uid } : undefined;
  if (nameHash !== undefined) return isHex(nameHash, 16) ? { ...line, nameHash } : undefined;
  return line;
}

function isCount(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;
}

function isShort(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST;
}

function isHex(value: unknown, length: number): value is string {
  return typeof value === 'string' && value.length === length && /^[0-9a-f]*$/.test(value);
}
