#!/bin/sh
# Becomes systemd, of a root of its own in memory: this system's /usr, a given Node and this program at /opt, nothing else.
# Runs in new namespaces of mounts, processes, IPC, host name and control groups.
# machine.sh FOLDER NODE PROGRAM
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$1"
cd "$1"
mkdir -p etc/systemd/system proc sys dev run tmp var/lib var/log var/tmp usr root home opt/node/bin opt/cadenas old
for each in bin sbin lib lib32 lib64; do
  if [ -L "/$each" ]; then cp -P "/$each" .; fi
done
mount --rbind /usr usr
mount -o remount,bind,ro usr
touch opt/node/bin/node
mount --bind "$2" opt/node/bin/node
mount --bind "$3" opt/cadenas
mount -o remount,bind,ro opt/cadenas
mount -t proc proc proc
# The kernel's settings are not this machine's alone.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/shm dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for each in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 666 "dev/${each%:*}" c 1 "${each#*:}"
done
mknod -m 666 dev/tty c 5 0
echo 'root:x:0:0::/root:/bin/sh' >etc/passwd
echo 'root:x:0:' >etc/group
echo 'passwd: files' >etc/nsswitch.conf
echo '127.0.0.1 localhost' >etc/hosts
echo 0123456789abcdef0123456789abcdef >etc/machine-id
# No more than a log: whatever else this system would start stays out.
for each in sysinit local-fs; do
  mount -t tmpfs -o mode=755 tmpfs "usr/lib/systemd/system/$each.target.wants"
done
printf '%s\n' '[Unit]' 'DefaultDependencies=no' 'Requires=systemd-journald.service' 'After=systemd-journald.service' \
  >etc/systemd/system/machine.target
pivot_root . old
umount -l old
# Services get credentials by mounts that come in from a namespace of their own.
mount --make-rshared /
exec env -i container=cadenas PATH=/usr/sbin:/usr/bin /lib/systemd/systemd \
  --system --unit=machine.target --show-status=no --log-target=journal
