/** `cadenasd export @USER`: all that is kept about a user, for who is concerned. */
import { dirname, resolve } from 'node:path';
import { fingerprint, RowKind, samePublic } from '../../../protocol/index.js';
import { nodeSync } from '../../crypto/index.js';
import { exists, syncFolder, writeNew } from '../../store/journal/durable.js';
import { exportUser, type Reading } from '../../store/tools/export.js';
import { inspectStore } from '../../store/tools/inspect.js';
import { AtRest } from '../at-rest.js';
import { openDetails } from '../details.js';
import { readState, type Row } from '../room-state.js';
import { decoySecret } from './secrets.js';
import { beside, Exit, files, folderOf, Mistake, unknownUser, userName, type ExitCode, type Where } from './common.js';

export interface ExportOptions {
  readonly keys: string;
  readonly out?: string;
}

const standings: Readonly<Record<Row['kind'], string>> = {
  [RowKind.settled]: 'member',
  [RowKind.entered]: 'member',
  [RowKind.left]: 'left',
  [RowKind.invited]: 'invited',
};
/** @param secret undefined: there are no keys, and what is sealed stays so */
const readingWith = (secret: Uint8Array | undefined): Reading => ({
  told: (uid, sealed) => {
    if (sealed.length === 0) return {};
    if (!secret) return 'sealed: name the folder of the keys by --keys';
    return openDetails(new AtRest(nodeSync, secret), uid, sealed) ?? 'sealed under other keys than those of --keys';
  },
  fingerprint: (keys) => fingerprint(nodeSync, keys),
  standing: (state, uid) => {
    /* Who left and came back in one epoch has two rows. */
    const row = readState(state)
      .rows.filter((each) => samePublic(each.uid, uid))
      .at(-1);
    return row && standings[row.kind];
  },
});

export async function runExport(where: Where & ExportOptions, typed: string): Promise<ExitCode> {
  const name = userName(typed);
  const folder = folderOf(where);
  const out = where.out === undefined ? undefined : resolve(where.out);
  if (out !== undefined && (await exists(files, out))) throw new Mistake(`${out} is there already — name a new file`);
  await inspectStore(files, folder);
  const secret = decoySecret(where);
  const all = await beside(folder, () => exportUser(files, folder, name, readingWith(secret)));
  secret?.fill(0);
  if (!all) throw unknownUser(name, folder);
  const text = `${JSON.stringify(all, undefined, 2)}\n`;
  if (out === undefined) {
    process.stdout.write(text);
    return Exit.done;
  }
  await writeNew(files, out, Buffer.from(text));
  await syncFolder(files, dirname(out));
  return Exit.done;
}
