/** `cadenasd repair`: what is sound of a damaged store is put in its place. */
import { inspectStore } from '../../store/tools/inspect.js';
import { planRepair, type RepairPlan } from '../../store/tools/repair-plan.js';
import { stamp } from '../../store/journal/layout.js';
import { repair } from '../../store/tools/repair.js';
import { tellFindings } from './check.js';
import { alone, confirm, Exit, files, folderOf, Speech, type ExitCode, type Where } from './common.js';

export interface RepairOptions {
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

export async function runRepair(where: Where & RepairOptions): Promise<ExitCode> {
  const speech = new Speech(where);
  const folder = folderOf(where);
  await inspectStore(files, folder);
  return alone(folder, async () => {
    speech.progress.begin('checking');
    const plan = await planRepair(files, folder, speech.progress.report);
    if (plan.told.length === 0) {
      speech.say('result', { repaired: false, sound: true }, 'sound: nothing to repair');
      return Exit.done;
    }
    tellPlan(speech, plan);
    if (where.dryRun) {
      speech.say('result', { repaired: false, sound: false }, 'nothing was done: this was --dry-run');
      return Exit.damaged;
    }
    await confirm('Repair the store so?', where.yes);
    return carryOut(speech, folder, plan);
  });
}

function tellPlan(speech: Speech, { told }: RepairPlan): void {
  for (const { path, who, kept, lost } of told)
    speech.say(
      'repair',
      { path, who, kept, lost },
      `${path}${who && ` (${who})`}`,
      `  kept: ${kept}`,
      `  lost: ${lost}`,
    );
}

async function carryOut(speech: Speech, folder: string, plan: RepairPlan): Promise<ExitCode> {
  const quarantine = `${folder}.quarantine-${stamp(Date.now())}`;
  const onNote = (what: string): void => {
    speech.say('note', { what }, `note: ${what}`);
  };
  speech.progress.begin('checking what was repaired');
  const left = await repair(files, { folder, plan, quarantine, now: Date.now, onNote }, speech.progress.report);
  tellFindings(speech, left);
  const sound = left.length === 0;
  speech.say(
    'result',
    { repaired: true, sound, quarantine },
    `What was replaced or removed is in ${quarantine}.`,
    sound
      ? 'repaired: the store is sound, and the daemon can start'
      : 'damaged still: restore a backup, or mend by hand what is listed above',
  );
  return sound ? Exit.done : Exit.damaged;
}
