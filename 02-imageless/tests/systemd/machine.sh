#!/bin/sh
# Process 1 of a box with namespaces of its own for processes, mounts, names and
# cgroups: makes them look like a machine's, then becomes systemd.
set -e
mount --make-rprivate /
# Settings of the kernel are not the box's.
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys

# Nobody reads what systemd says on a console before it is told not to.
[ ! -e /dev/console ] || mount --bind /dev/null /dev/console

# The trees of cgroups again, on v2 the only one, as this cgroup namespace sees
# them.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    umount --lazy /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
    trees=$(find /sys/fs/cgroup -mindepth 1 -maxdepth 1 -type d -printf '%f ')
    umount --lazy --recursive /sys/fs/cgroup
    mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
    for tree in $trees; do
        mkdir /sys/fs/cgroup/$tree
        case $tree in
            unified) mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified ;;
            systemd) mount -t cgroup -o none,name=systemd none /sys/fs/cgroup/systemd ;;
            *) mount -t cgroup -o $tree none /sys/fs/cgroup/$tree ;;
        esac
    done

    # systemd would mount the kernel's other controllers, which this machine
    # does not use, and they are no box's own: it leaves alone where something
    # is mounted.
    for tree in $(awk '$2 == "0" { print $1 }' /proc/cgroups) net_cls,net_prio; do
        mkdir /sys/fs/cgroup/$tree
        mount -t tmpfs -o ro tmpfs /sys/fs/cgroup/$tree
    done
fi

# The root is this machine's own. What a system does at its start is not done to
# it, and in case of a mistake could not be: systemd-tmpfiles empties /tmp.
for dir in /etc /usr /var; do
    mount --bind $dir $dir
    mount -o remount,bind,ro $dir
done
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/systemd/system
cd /run/systemd/system
for unit in sysinit rescue emergency; do
    ln -s /dev/null $unit.target
done
for unit in setup setup-dev clean; do
    ln -s /dev/null systemd-tmpfiles-$unit.service
done

# Nothing is started but a message bus.
cat >box.target <<'EOT'
[Unit]
DefaultDependencies=no
Requires=dbus.socket dbus.service
EOT
cat >dbus.socket <<'EOT'
[Unit]
DefaultDependencies=no
[Socket]
ListenStream=/run/dbus/system_bus_socket
EOT
cat >dbus.service <<'EOT'
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation
EOT
cd /
exec env -i container=oci PATH="$PATH" /lib/systemd/systemd \
    --system --unit=box.target --log-target=null --show-status=no
