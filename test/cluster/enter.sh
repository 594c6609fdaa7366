#!/bin/sh
# First program in the new namespaces of a machine (machine.ts): gives the machine a root folder of its own, waits until
# whoever starts it has set up its network, and becomes the machine's first process.
#
# enter.sh NAME FOLDER TOOLS KUBERNETES
set -eu
PATH=/usr/sbin:/usr/bin:/sbin:/bin
name=$1 folder=$2 tools=$3 kubernetes=$4
root=$folder/root

# The host's /proc is still mounted, so this is our id as the host sees it.
read -r pid _ </proc/self/stat

mount --make-rprivate /
mount --bind "$tools" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
for writable in run tmp var; do mount -t tmpfs tmpfs "$root/$writable"; done
mkdir -p "$root/var/tmp" "$root/var/lib" "$root/run/netns"
mount --bind "$folder" "$root/machine"
mount --bind -o ro "$kubernetes" "$root/kubernetes"
while IFS='	' read -r source target; do
  mount --bind -o ro "$source" "$root/machine/$target"
done <"$folder/binds"
mount -o remount,ro,bind "$root"

# kubelet sets these for the whole kernel, which is the host's. It leaves alone what has the value it wants: so it sees
# that value here, and the host keeps its own.
tunable() {
  echo "$2" >"$folder/tunable-$(basename "$1")"
  mount --bind "$folder/tunable-$(basename "$1")" "$root/proc/sys/$1"
}
tunable vm/overcommit_memory 1
tunable vm/panic_on_oom 0
tunable kernel/panic 10
tunable kernel/panic_on_oops 1
tunable kernel/keys/root_maxkeys 1000000
tunable kernel/keys/root_maxbytes 25000000

cd "$root"
pivot_root . mnt
cd /
umount -l /mnt
mount --make-rshared /
echo "$name" >/proc/sys/kernel/hostname

echo "$pid"
# Whoever started us is gone: so are we.
read -r _
exec /bin/sh /machine/init.sh </dev/null >>/machine/log/init.log 2>&1
