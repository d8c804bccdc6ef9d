#!/bin/bash -e
# The agent's package, which lies in files/ beside this script: script/image deb prints where it is.
install -d "${ROOTFS_DIR}/var/tmp/loalang"
cp files/loalang-agent_*_arm64.deb "${ROOTFS_DIR}/var/tmp/loalang/"
on_chroot <<'CHROOT'
apt-get purge -y openssh-server avahi-daemon network-manager rpi-connect-lite triggerhappy dphys-swapfile || true
apt-get install -y --no-install-recommends systemd-resolved wpasupplicant kbd console-setup-linux \
    /var/tmp/loalang/loalang-agent_*_arm64.deb
rm -rf /var/tmp/loalang
CHROOT
