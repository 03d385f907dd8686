/** `cadenasd check`: whether all that a store keeps is sound. */
import { check, type Checked } from '../../store/tools/check.js';
import type { Finding } from '../../store/tools/reader.js';
import { inspectStore } from '../../store/tools/inspect.js';
import { beside, count, Exit, files, folderOf, Speech, table, type ExitCode, type Where } from './common.js';

export async function runCheck(where: Where): Promise<ExitCode> {
  const speech = new Speech(where);
  const folder = folderOf(where);
  await inspectStore(files, folder, true);
  speech.progress.begin('checking');
  const checked = await beside(folder, () => check(files, folder, Date.now(), speech.progress.report));
  const damaged = checked.findings.filter(({ level }) => level === 'damage').length;
  const hints = checked.findings.length - damaged;
  const { accounts, rooms, messages, bytes, records, lsn } = checked;
  const counts = { accounts, rooms, messages, bytes, records, lsn };
  speech.say('check', { network: where.network, folder, ...counts, damaged, hints }, ...tellCounts(folder, checked));
  tellFindings(speech, checked.findings);
  speech.say('result', { sound: damaged === 0 }, verdict(damaged, hints));
  return damaged > 0 ? Exit.damaged : Exit.done;
}

function tellCounts(folder: string, { accounts, rooms, messages, bytes, records, lsn }: Checked): string[] {
  const journal = `${count(records, 'record')}, up to LSN ${lsn}`;
  return table({ store: folder, accounts, rooms, messages, bytes, journal });
}

export function tellFindings(speech: Speech, findings: readonly Finding[]): void {
  for (const { level, path, what } of findings)
    speech.say('finding', { level, path, what }, `${level.padEnd(10)} ${path} ${what}`);
}

function verdict(damaged: number, hints: number): string {
  const also = hints > 0 ? `, ${count(hints, 'hint')}` : '';
  if (damaged === 0) return `sound${also}`;
  return `damaged: ${count(damaged, 'finding')}${also} — stop the daemon and run cadenasd repair, or restore a backup`;
}
