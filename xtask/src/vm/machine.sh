#!/bin/busybox sh
# Makes the guest a machine: the file systems that programs expect, and cgroup v2 with every controller enabled.
mkdir() { /bin/busybox mkdir -p "$@"; }
mkdir /proc /sys /dev /run /tmp /var/tmp /mnt
/bin/busybox --install -s /bin
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir /dev/pts /dev/shm
mount -t devpts -o ptmxmode=0666 devpts /dev/pts
chmod 1777 /tmp /var/tmp
ip link set lo up
# What Debian's kernel has as modules.
for module in /modules/*.ko; do insmod "$module"; done

# Processes may not stand in a cgroup that hands controllers on to its children (cgroups(7), "no internal processes").
mount -t cgroup2 cgroup /sys/fs/cgroup
mkdir /sys/fs/cgroup/machine
echo $$ > /sys/fs/cgroup/machine/cgroup.procs
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control
done

/lane
echo "vm: exit status $?"
poweroff -f
