/** A container of an image: namespaces, a root that nobody writes to, volumes, and a user without rights. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Image } from './image.js';
import type { Teardown } from './temp.js';

/* Volumes begin as the image has them, with owner and mode. */
const START = `set -e
root=$1; volumes=$2; shift 2
mount --bind "$root" "$root"
for volume in $VOLUMES; do
  [ -e "$volumes$volume" ] || { mkdir -p "$volumes$(dirname "$volume")"; cp -a "$root$volume" "$volumes$volume"; }
  mount --bind "$volumes$volume" "$root$volume"
done
mount -o remount,bind,ro "$root"
mount -t tmpfs -o mode=1777,size=16m,noexec,nosuid,nodev tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
exec setpriv --no-new-privs chroot --userspec="$USER_IN_IT" "$root" env -C "$WORKDIR_IN_IT" "$@"`;

export class Container {
  readonly image: Image;
  readonly #child: ChildProcess;
  readonly #env: Readonly<Record<string, string>>;
  readonly exited: Promise<number | null>;
  err = '';

  private constructor(image: Image, child: ChildProcess, env: Readonly<Record<string, string>>) {
    this.image = image;
    this.#child = child;
    this.#env = env;
    this.exited = once(child, 'exit').then(([code]) => code as number | null);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.err += text));
  }

  /**
   * @param volumes folder that keeps the volumes
   * @param command instead of the entry point
   */
  static run(
    t: Teardown,
    image: Image,
    volumes: string,
    env: Readonly<Record<string, string>> = {},
    command: readonly string[] = image.entrypoint,
  ): Container {
    mkdirSync(volumes, { recursive: true });
    const flags = ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child'];
    const own = { ...image.env, HOME: '/home/node', ...env };
    const set = Object.entries(own).map(([name, value]) => `${name}=${value}`);
    const args = [...flags, '/bin/sh', '-c', START, 'sh', image.root, volumes, '-i', ...set, ...command];
    const { user: USER_IN_IT, workdir: WORKDIR_IN_IT } = image;
    const needed = { PATH: process.env['PATH'] ?? '', USER_IN_IT, WORKDIR_IN_IT, VOLUMES: image.volumes.join(' ') };
    const child = spawn('unshare', args, { env: needed, stdio: ['ignore', 'pipe', 'pipe'] });
    const container = new Container(image, child, own);
    t.teardown(async () => {
      child.kill('SIGKILL');
      await container.exited;
    });
    return container;
  }

  /** The first line that it prints; what went wrong where it ends before. */
  async firstLine(): Promise<string> {
    if (!this.#child.stdout) throw new Error('no standard output');
    const line = once(createInterface(this.#child.stdout), 'line').then(([text]) => String(text));
    return Promise.race([line, this.exited.then((code) => `ended with ${String(code)}: ${this.err}`)]);
  }

  /** Process 1 of the container, as this machine counts. */
  get pid(): number {
    const pid = String(this.#child.pid);
    return Number(readFileSync(join('/proc', pid, 'task', pid, 'children'), 'utf8'));
  }

  /** Another program in it, as `docker exec` runs it. */
  exec(...command: readonly string[]) {
    const set = Object.entries(this.#env).map(([name, value]) => `${name}=${value}`);
    const into = [
      '--target',
      String(this.pid),
      '--mount',
      '--pid',
      '--root',
      '--wd',
      '--setuid',
      '1000',
      '--setgid',
      '1000',
    ];
    const { status, stdout, stderr } = spawnSync('nsenter', [...into, '/usr/bin/env', '-i', ...set, ...command], {
      encoding: 'utf8',
    });
    return { code: status, out: stdout, err: stderr };
  }

  stop(): Promise<number | null> {
    process.kill(this.pid, this.image.stopSignal);
    return this.exited;
  }
}
