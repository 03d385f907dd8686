/** What the files of one user or room say, with the journal: whether it can be read, and agrees with the names. */
import { join } from 'node:path';
import { ACCOUNT_FILE, userFolder } from '../journal/layout.js';
import { queuePath, roomPath } from '../journal/part-files.js';
import { damage, hint, refused, type Finding, type View } from './reader.js';
import { latin1 } from '../journal/records.js';
import { accountOf, mailOf, roomOf } from './view-parts.js';

export interface PartsChecked {
  readonly findings: readonly Finding[];
  /** that wait */
  readonly messages: number;
}

/** @param now ms since 1970 */
export async function checkUser(view: View, uid: string, now: number): Promise<PartsChecked> {
  const account = await checkAccount(view, uid);
  const path = queuePath(view.folder, uid);
  let messages = 0;
  const mail = await told(path, async () => {
    const { state, upTo } = await mailOf(view, uid);
    state.expire(now);
    messages = state.entries.size;
    return newer(view, path, upTo);
  });
  return { findings: [...account, ...mail], messages };
}

function checkAccount(view: View, uid: string): Promise<Finding[]> {
  const { folder, names, isIndexSound } = view;
  const path = join(userFolder(folder, uid), ACCOUNT_FILE);
  return told(path, async () => {
    const { state, upTo } = await accountOf(view, uid);
    const findings = newer(view, path, upTo);
    const name = names.name(uid);
    const known = name === undefined ? 'an account that the index does not know' : `@${name}`;
    if (!state.account) findings.push(damage(path, `is lost: ${known}`));
    else if (name !== undefined && state.account.name !== name)
      findings.push(damage(path, `is of @${state.account.name}, and the index says ${known}`));
    else if (isIndexSound && names.uid(state.account.name) !== uid)
      findings.push(damage(path, `is of @${state.account.name}, and so is another account`));
    return findings;
  });
}

export async function checkRoom(view: View, id: string): Promise<PartsChecked> {
  const { folder, names, isIndexSound } = view;
  const path = roomPath(folder, id);
  const findings = await told(path, async () => {
    const { state, upTo } = await roomOf(view, id);
    const all = newer(view, path, upTo);
    const known = names.room(id);
    if (!state.value) return [...all, damage(path, `is lost: the room ${known?.name ?? 'without a name'}`)];
    const { name, owner } = state.value;
    if (known && known.name !== name)
      all.push(damage(path, `is of the room ${name}, and the index says ${known.name}`));
    else if (isIndexSound && names.roomId(name) !== id)
      all.push(damage(path, `is of the room ${name}, and so is another one`));
    if (isIndexSound && names.name(latin1(owner)) === undefined)
      all.push(hint(path, `the room ${name} has an owner without an account`));
    return all;
  });
  return { findings, messages: 0 };
}

/** A refusal to read becomes a finding. @throws what is none */
async function told(path: string, work: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await work();
  } catch (error) {
    return [refused(path, error)];
  }
}

function newer({ lsn }: View, path: string, upTo: number): Finding[] {
  return upTo > lsn ? [damage(path, `is newer (LSN ${upTo}) than the end of the journal (LSN ${lsn})`)] : [];
}
