/** What an engine does with a Containerfile, by bare roots and chroot: enough to know that its steps work. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { addNull, addProgram, inRoot } from './bare-root.js';
import { assignments, words, type Instruction } from './containerfile.js';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** Instructions with the flags that they may have. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  FROM: [],
  COPY: ['from'],
  RUN: [],
  ENV: [],
  USER: [],
  WORKDIR: [],
  VOLUME: [],
  EXPOSE: [],
  STOPSIGNAL: [],
  HEALTHCHECK: ['interval', 'timeout', 'start-period'],
  ENTRYPOINT: [],
};

export interface Image {
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly workdir: string;
  readonly volumes: readonly string[];
  readonly entrypoint: readonly string[];
  readonly health: readonly string[];
  readonly stopSignal: string;
  readonly exposed: string;
}

/** What the image of Node has, made of this machine: Node with npm, its user, and the few programs that we call. */
function nodeImage(root: string): Image {
  for (const [program, at] of [
    [process.execPath, '/usr/local/bin/node'],
    ...['/bin/sh', '/usr/bin/env', '/usr/bin/install'].map((path) => [path, path] as const),
  ] as const)
    addProgram(root, program, at);
  addNull(root);
  const cli = realpathSync(spawnSync('which', ['npm'], { encoding: 'utf8' }).stdout.trim());
  cpSync(dirname(dirname(cli)), join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'));
  for (const folder of ['etc/ssl/certs', 'tmp', 'proc', 'root']) mkdirSync(join(root, folder), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnode:x:1000:\n');
  // These an engine hands in while it builds.
  for (const file of ['/etc/resolv.conf', '/etc/hosts', CERTIFICATES]) copyFileSync(file, join(root, file));
  return {
    root,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    user: 'root',
    workdir: '/',
    volumes: [],
    entrypoint: [],
    health: [],
    stopSignal: 'SIGTERM',
    exposed: '',
  };
}

/** As `docker build --build-arg` would hand it in: where npm of this machine finds packages. */
function npmSettings(): Readonly<Record<string, string>> {
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout.trim();
  const proxies = Object.entries(process.env).filter(([name]) => /^(https?|no)_proxy$/i.test(name));
  const own = { npm_config_registry: registry, npm_config_cafile: CERTIFICATES, npm_config_update_notifier: 'false' };
  return { ...own, ...(Object.fromEntries(proxies) as Record<string, string>) };
}

/** A build of one Containerfile. */
export class Build {
  readonly #folder: string;
  readonly #context: string;
  readonly #stages = new Map<string, Image>();
  #base: Image | undefined;
  #image: Image | undefined;

  /** @param folder where the roots go */
  constructor(folder: string, context: string) {
    this.#folder = folder;
    this.#context = context;
  }

  /** @returns the last stage. @throws Error where a step fails, or is none that is known here */
  run(instructions: readonly Instruction[]): Image {
    for (const instruction of instructions) this.#step(instruction);
    if (!this.#image) throw new Error('no FROM');
    return this.#image;
  }

  #step(instruction: Instruction): void {
    const { name, line, flags } = instruction;
    const known = KNOWN[name];
    if (!known) throw new Error(`line ${line}: ${name} is not known here`);
    for (const flag of Object.keys(flags))
      if (!known.includes(flag)) throw new Error(`line ${line}: ${name} --${flag} is not known here`);
    if (name === 'FROM') return this.#from(instruction);
    const image = this.#image;
    if (!image) throw new Error(`line ${line}: ${name} before FROM`);
    if (name === 'COPY') return this.#copy(image, instruction);
    if (name === 'RUN') return runStep(image, instruction);
    Object.assign(image, setting(image, instruction));
    mkdirSync(join(image.root, image.workdir), { recursive: true });
  }

  #from({ line, rest }: Instruction): void {
    const match = /^docker\.io\/library\/node:[\w.-]+-slim(?: AS ([a-z]+))?$/.exec(rest);
    if (!match) throw new Error(`line ${line}: ${rest} is no image of Node`);
    const stage = match[1];
    this.#base ??= nodeImage(join(this.#folder, 'base'));
    const root = join(this.#folder, stage ?? 'last');
    // Links: no step writes into a file that is there.
    const { status, stderr } = spawnSync('cp', ['-al', this.#base.root, root], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`line ${line}: ${stderr}`);
    this.#image = { ...this.#base, root };
    if (stage !== undefined) this.#stages.set(stage, this.#image);
  }

  #copy(image: Image, { line, flags, rest }: Instruction): void {
    const [from = '', to = '', ...more] = rest.split(/ +/);
    const source = flags['from'] === undefined ? this.#context : this.#stages.get(flags['from'])?.root;
    if (source === undefined || to === '' || more.length > 0) throw new Error(`line ${line}: ${rest}`);
    const pattern = new RegExp(`^${basename(from).replaceAll('.', '\\.').replaceAll('*', '.*')}$`);
    const folder = join(source, dirname(from));
    const found = readdirSync(folder).filter((file) => pattern.test(file));
    if (found.length !== 1) throw new Error(`line ${line}: ${from} is ${found.length} files`);
    cpSync(join(folder, found[0] ?? ''), join(image.root, to), { recursive: true, verbatimSymlinks: true });
  }
}

/** What an instruction changes in the image besides its files. */
function setting({ env }: Image, instruction: Instruction): Partial<Image> {
  const { name, rest } = instruction;
  switch (name) {
    case 'ENV':
      return { env: { ...env, ...(Object.fromEntries(assignments(instruction)) as Record<string, string>) } };
    case 'USER':
      return { user: rest };
    case 'WORKDIR':
      return { workdir: rest };
    case 'VOLUME':
      return { volumes: words(instruction) };
    case 'EXPOSE':
      return { exposed: rest };
    case 'STOPSIGNAL':
      return { stopSignal: rest };
    case 'HEALTHCHECK':
      return { health: words({ ...instruction, rest: rest.replace(/^CMD +/, '') }) };
    case 'ENTRYPOINT':
      return { entrypoint: words(instruction) };
    default:
      throw new Error(`${name} changes nothing here`);
  }
}

function runStep({ root, env, user, workdir }: Image, { line, rest }: Instruction): void {
  if (user !== 'root' || workdir !== '/') throw new Error(`line ${line}: RUN is known for root in / alone`);
  const [program, ...args] = inRoot(root, '/bin/sh', '-c', rest);
  const all = { HOME: '/root', ...npmSettings(), ...env };
  const { status, stdout, stderr } = spawnSync(program, args, { env: all, encoding: 'utf8' });
  if (status !== 0) throw new Error(`line ${line}: ${rest} ended with ${String(status)}: ${stdout}${stderr}`);
}
