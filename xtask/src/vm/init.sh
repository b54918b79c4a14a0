#!/bin/busybox sh
# The first process of the guest. The kernel's initial root cannot be pivoted away from (pivot_root(2): EINVAL),
# and every container wants to do that: so move to a tmpfs first.
/bin/busybox mkdir /new
/bin/busybox mount -t tmpfs -o size=75% root /new
for entry in /*; do
    [ "$entry" = /new ] || /bin/busybox cp -a "$entry" /new/
done
exec /bin/busybox switch_root /new /machine
