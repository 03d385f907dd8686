/** The files by which a service manager runs the daemon: what they hold on this machine, and whether they can work. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ServiceRefusal } from './refusal.js';

/** What stands in the files of `deploy/`, in the place of the real paths. */
const NODE = '/usr/bin/node';
const PROGRAM = '/usr/lib/node_modules/cadenas/bin/cadenasd';

/** Where the sandbox shows nothing (ProtectHome=, PrivateTmp=). */
const HIDDEN = ['/home', '/root', '/run/user', '/tmp', '/var/tmp'];
/** What needs no quoting in a unit. */
const PLAIN_PATH = /^[\w./+@-]+$/;

export const CONFIG_FILE = '/etc/cadenas/cadenasd.toml';
export const STATE_FOLDER = '/var/lib/cadenas';
export const SERVICE_USER = 'cadenas';

export interface ServiceFile {
  /** absolute */
  readonly path: string;
  readonly content: string;
  /** It is the operator's once it is there. */
  readonly isOwners: boolean;
}

export interface Programs {
  /** absolute paths, of Node's executable and of bin/cadenasd */
  readonly node: string;
  readonly cadenasd: string;
}

const targets: Readonly<Record<string, string>> = {
  'cadenasd.service': '/etc/systemd/system/cadenasd.service',
  'cadenasd.socket': '/etc/systemd/system/cadenasd.socket',
  'cadenasd.sysusers': '/etc/sysusers.d/cadenasd.conf',
  'cadenasd.toml': CONFIG_FILE,
};

/** Whether nobody else put it there; changes of an operator's may be in it. */
export function isWrittenHere(content: string): boolean {
  return content.startsWith('# Written by cadenasd install-service');
}

/** @param templates folder of the files as they are shipped */
export function serviceFiles(templates: string, { node, cadenasd }: Programs): readonly ServiceFile[] {
  return Object.entries(targets).map(([name, path]) => ({
    path,
    content: readFileSync(join(templates, name), 'utf8').replaceAll(PROGRAM, cadenasd).replaceAll(NODE, node),
    isOwners: path === CONFIG_FILE,
  }));
}

/**
 * This Node and this program, as the service will find them.
 * @throws ServiceRefusal where it will not
 */
export function programsOf(node: string, cadenasd: string): Programs {
  return { node: reachable(node), cadenasd: reachable(cadenasd) };
}

function reachable(named: string): string {
  const path = realpathSync(named);
  const advice = 'install Node and cadenas for everybody, below /usr or /opt, and run its cadenasd install-service';
  if (!PLAIN_PATH.test(path))
    throw new ServiceRefusal(`${path} has letters that no unit takes as they are — ${advice}`);
  const hidden = HIDDEN.find((folder) => path.startsWith(`${folder}/`));
  if (hidden !== undefined) throw new ServiceRefusal(`${path}: the service sees nothing of ${hidden} — ${advice}`);
  if ((statSync(path).mode & 0o004) === 0) throw new ServiceRefusal(`${path}: others may not read it — ${advice}`);
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder))
    if ((statSync(folder).mode & 0o001) === 0) throw new ServiceRefusal(`${folder} is closed to others — ${advice}`);
  return path;
}
