/** What the commands do, each loaded where it is asked for: a probe that comes every few seconds pays for no backup. */
import type { ExitCode } from './common.js';

function later<M, A extends readonly unknown[]>(
  load: () => Promise<M>,
  of: (it: M) => (...args: A) => ExitCode | Promise<ExitCode>,
): (...args: A) => Promise<ExitCode> {
  return async (...args) => of(await load())(...args);
}

const people = () => import('./people.js');
const running = () => import('./running.js');
const service = () => import('./service.js');

export const tools = {
  config: later(
    () => import('./config.js'),
    (it) => it.runConfig,
  ),
  check: later(
    () => import('./check.js'),
    (it) => it.runCheck,
  ),
  backup: later(
    () => import('./backup.js'),
    (it) => it.runBackup,
  ),
  restore: later(
    () => import('./restore.js'),
    (it) => it.runRestore,
  ),
  export: later(
    () => import('./export.js'),
    (it) => it.runExport,
  ),
  audit: later(
    () => import('./audit.js'),
    (it) => it.runAudit,
  ),
  delete: later(
    () => import('./delete.js'),
    (it) => it.runDelete,
  ),
  repair: later(
    () => import('./repair.js'),
    (it) => it.runRepair,
  ),
  invite: later(
    () => import('./invite.js'),
    (it) => it.runInvite,
  ),
  status: later(
    () => import('./status.js'),
    (it) => it.runStatus,
  ),
  health: later(running, (it) => it.showHealth),
  limits: later(running, (it) => it.runLimits),
  drain: later(running, (it) => it.runDrain),
  reload: later(running, (it) => it.runReload),
  debug: later(running, (it) => it.runDebug),
  listUsers: later(people, (it) => it.listUsers),
  showUser: later(people, (it) => it.showUser),
  disableUser: later(people, (it) => it.disableUser),
  enableUser: later(people, (it) => it.enableUser),
  deleteUser: later(people, (it) => it.deleteUser),
  listRooms: later(people, (it) => it.listRooms),
  deleteRoom: later(people, (it) => it.deleteRoom),
  install: later(service, (it) => it.runInstall),
  uninstall: later(service, (it) => it.runUninstall),
};
