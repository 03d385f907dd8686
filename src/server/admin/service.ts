/** `cadenasd install-service`, `uninstall-service`: systemd's files of the daemon, written and removed. */
import { spawnSync } from 'node:child_process';
import { constants, copyFileSync, existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { replaceFile } from '../../keys/private-files.js';
import {
  CONFIG_FILE,
  isWrittenHere,
  programsOf,
  SERVICE_USER,
  serviceFiles,
  STATE_FOLDER,
  type Programs,
  type ServiceFile,
} from '../../ops/systemd/service-files.js';
import { errorCode } from '../../store/journal/disk.js';
import { plainText } from '../../plain/plain.js';
import { stamp } from '../../store/journal/layout.js';
import { Exit, Mistake, type ExitCode } from './common.js';

export interface ServiceOptions {
  readonly dryRun: boolean;
  /** another root than this system's: an image, say. Nothing of it is running */
  readonly root?: string;
}

type Command = readonly [string, ...string[]];

/** Seen from dist/src/server/admin. */
const PACKAGE = fileURLToPath(new URL('../../../../', import.meta.url));
const UNITS = ['cadenasd.service', 'cadenasd.socket'] as const;

/** @throws ServiceRefusal, Mistake */
export function runInstall(options: ServiceOptions): ExitCode {
  const work = new Work(options);
  const programs = programsOf(process.execPath, join(PACKAGE, 'bin/cadenasd'));
  const files = serviceFiles(join(PACKAGE, 'deploy'), programs);
  const isUpdate = files.filter((file) => work.write(file)).length > 0;
  const { root } = options;
  if (root === undefined) {
    work.run('systemd-sysusers', 'cadenasd.conf');
    work.run('install', '-d', '-m', '0700', '-o', SERVICE_USER, '-g', SERVICE_USER, STATE_FOLDER);
    work.run('systemctl', 'daemon-reload');
  } else work.run('systemd-sysusers', `--root=${resolve(root)}`, 'cadenasd.conf');
  say(...(isUpdate ? ['', 'The units are others now: systemctl restart cadenasd.service'] : nextSteps(programs)));
  return Exit.done;
}

export function runUninstall(options: ServiceOptions): ExitCode {
  const work = new Work(options);
  const files = serviceFiles(join(PACKAGE, 'deploy'), { node: '', cadenasd: '' }).filter(({ isOwners }) => !isOwners);
  const there = files.filter(({ path }) => existsSync(work.at(path)));
  if (there.length === 0) {
    say('nothing to remove: the service is not installed');
    return Exit.done;
  }
  const units = UNITS.filter((unit) => there.some(({ path }) => path.endsWith(`/${unit}`)));
  /* The socket as well, or the next client would start the daemon again. */
  if (options.root === undefined && units.length > 0) work.run('systemctl', 'disable', '--now', ...units);
  for (const { path } of there) work.remove(path);
  if (options.root === undefined) work.run('systemctl', 'daemon-reload');
  say(
    '',
    `Data, keys, configuration and the user ${SERVICE_USER} are left. To remove them for good:`,
    `  rm -r ${STATE_FOLDER} ${dirname(CONFIG_FILE)}`,
    `  userdel ${SERVICE_USER}`,
  );
  return Exit.done;
}

function nextSteps({ node, cadenasd }: Programs): readonly string[] {
  const keys = `${node} ${join(dirname(cadenasd), 'cadenas-keys')}`;
  return [
    '',
    'Next, as root:',
    `1. make the keys, or put yours there, owned by ${SERVICE_USER}:`,
    `     runuser -u ${SERVICE_USER} -- ${keys} build --network home --keys ${STATE_FOLDER}/keys`,
    `2. look through ${CONFIG_FILE}: the network's name, the address`,
    '3. start it, now and with each start of the machine:',
    '     systemctl enable --now cadenasd.service',
    'So that a restart refuses nobody, have systemd hold the socket; it listens where cadenasd.socket says:',
    '     systemctl enable cadenasd.socket && systemctl stop cadenasd.service && systemctl start cadenasd.socket cadenasd.service',
    'Changes to the units belong into drop-ins: systemctl edit cadenasd.service',
  ];
}

/** Does what is asked, or with --dry-run tells what it would do. */
class Work {
  readonly #isDry: boolean;
  readonly #root: string | undefined;

  /** @throws Mistake where it could not be done */
  constructor({ dryRun, root }: ServiceOptions) {
    process.umask(0o022); // what is written is for everybody to read
    this.#isDry = dryRun;
    this.#root = root === undefined ? undefined : resolve(root);
    if (this.#root !== undefined && !existsSync(this.#root))
      throw new Mistake(`${this.#root} is not there — name the folder of a system by --root`);
    if (dryRun || root !== undefined) return;
    if (!existsSync('/run/systemd/system'))
      throw new Mistake(
        'systemd does not run here — see what would be written by --dry-run, or write it by --root DIR',
      );
    if (process.geteuid?.() !== 0) throw new Mistake('only root may do this — run it as root, or see it by --dry-run');
  }

  /** @throws Mistake where that is not below the root: the links of an image may lead anywhere, into this system too */
  at(path: string): string {
    if (this.#root === undefined) return path;
    const at = join(this.#root, path);
    let folder = dirname(at);
    while (!existsSync(folder)) folder = dirname(folder);
    if (relative(realpathSync(this.#root), realpathSync(folder)).split('/')[0] === '..')
      throw new Mistake(`${folder} leads out of ${this.#root} — put a folder in the place of the link`);
    return at;
  }

  /**
   * What differs is kept beside it; what is the operator's is left as it is.
   * @returns whether there was another one
   * @throws Mistake where something else has this name
   */
  write({ path, content, isOwners }: ServiceFile): boolean {
    const at = this.at(path);
    const had = contentOf(at);
    if (had === content || (had !== undefined && isOwners)) {
      say(had === content ? `unchanged    ${at}` : `left         ${at}, which is yours`);
      return false;
    }
    const aside = `${at}.before-${stamp(Date.now())}`;
    if (this.#isDry) {
      say(had === undefined ? `would write  ${at}` : `would update ${at}; as it is: ${aside}`);
      say(...content.trimEnd().split('\n').map((line) => `    ${line}`)); // prettier-ignore
      return had !== undefined;
    }
    mkdirSync(dirname(at), { recursive: true });
    if (had !== undefined) copyFileSync(at, aside, constants.COPYFILE_EXCL);
    replaceFile(at, content, 0o644);
    say(had === undefined ? `wrote        ${at}` : `updated      ${at}; as it was: ${aside}`);
    return had !== undefined;
  }

  remove(path: string): void {
    const at = this.at(path);
    if (!isWrittenHere(contentOf(at) ?? '')) {
      say(`left         ${at}: install-service did not write it`);
      return;
    }
    if (!this.#isDry) rmSync(at);
    say(`${this.#isDry ? 'would remove' : 'removed     '} ${at}`);
  }

  /** @throws Mistake where it fails */
  run(...[program, ...args]: Command): void {
    const line = [program, ...args].join(' ');
    say(`${this.#isDry ? 'would run   ' : 'running     '} ${line}`);
    if (this.#isDry) return;
    const { status, error, stderr } = spawnSync(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (status === 0) return;
    const why = error ? errorCode(error) : stderr.trim().split('\n').at(-1);
    throw new Mistake(`${line} failed (${why ?? 'error'}) — mend that, then run this again`);
  }
}

/** undefined: there is nothing. @throws Mistake where it is no file: a unit that is masked, say */
function contentOf(path: string): string | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  if (!stats.isFile()) throw new Mistake(`${path} is no file — remove it, or systemctl unmask it, then run this again`);
  return readFileSync(path, 'utf8');
}

function say(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${plainText(line, '')}\n`).join(''));
}
