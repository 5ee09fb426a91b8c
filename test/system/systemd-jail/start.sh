#!/bin/sh
# Boots systemd as the first process of namespaces of its own, on a copy (overlay) of this host's root, with no unit
# but ours and empty targets: nothing of the host is run, written to, or seen to stop. systemd-jail.ts calls it.
#
#   start.sh start FOLDER CHECKOUT NODE    under: unshare --mount
#   start.sh clean FOLDER                  under: unshare --mount; removes its control group
set -eu
umask 022 # the root of a host is open, whatever the umask of who runs the tests
mode=$1 folder=$2
group=vhostkit-$(basename "$folder")

open_groups() {
  mount --make-rprivate /
  mount -t tmpfs -o mode=755 jail "$folder"
  mkdir "$folder/groups"
  mount -t cgroup2 groups "$folder/groups"
}

case $mode in
start)
  open_groups
  mkdir "$folder/groups/$group"
  echo $$ >"$folder/groups/$group/cgroup.procs"
  exec unshare --mount --pid --ipc --net --uts --cgroup --fork --kill-child sh "$0" inside "$folder" "$3" "$4"
  ;;
clean)
  open_groups
  find "$folder/groups/$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  exit 0
  ;;
esac

checkout=$3 node=$4 root=$folder/root
mkdir "$folder/upper" "$folder/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for place in run etc/systemd/system dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$place"; done
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for device in null zero full random urandom tty; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/net" "$root/dev/shm"
mknod "$root/dev/net/tun" c 10 200
chmod 666 "$root/dev/net/tun"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"

# The targets that units want by default, without what the host has in them.
units=$root/etc/vhostkit-jail
mkdir "$units"
for target in sysinit basic multi-user shutdown umount final; do
  printf '[Unit]\nDescription=%s of the jail\nDefaultDependencies=no\n' $target >"$units/$target.target"
done

# Out of every home, as a package would be.
there=$root/opt/vhostkit-jail
mkdir -p "$there/dist" "$there/native/build/test" "$there/node_modules"
cp -r "$checkout/bin" "$checkout/templates" "$checkout/hooks" "$checkout/package.json" "$checkout/tsconfig.json" "$there"
cp -r "$checkout/dist/src" "$checkout/dist/hook" "$there/dist"
cp "$checkout/native/build/vhostkit-switch" "$there/native/build"
cp "$checkout/native/build/test/play-traffic" "$there/native/build/test"
chown -R 0:0 "$there"
chmod -R u+rwX,go+rX,go-w "$there"
mount --bind "$checkout/node_modules" "$there/node_modules"
cp "$node" "$root/opt/vhostkit-jail/node"

exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=jail \
  SYSTEMD_UNIT_PATH=/etc/systemd/system:/etc/vhostkit-jail \
  SYSTEMD_GENERATOR_PATH=/nonexistent SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/nonexistent \
  chroot "$root" /lib/systemd/systemd --system --unit=multi-user.target --log-target=console --default-standard-output=null
