#!/bin/bash -e
# What makes a Raspberry Pi OS a device: a root that is never written, no login, no updates of its own.
boot=${ROOTFS_DIR}/boot/firmware
ours=${ROOTFS_DIR}/usr/lib/loalang/boot
# pi-gen's export puts the partitions' identifiers where it finds these two words.
sed -e 's/^LABEL=LOALANG-ROOT/ROOTDEV/' -e 's/^LABEL=LOALANGBOOT/BOOTDEV/' "$ours/fstab" >"${ROOTFS_DIR}/etc/fstab"
sed -e 's/root=LABEL=LOALANG-ROOT/root=ROOTDEV/' "$ours/cmdline.txt" >"$boot/cmdline.txt"
cat "$ours/config.txt" >>"$boot/config.txt"
: >"${ROOTFS_DIR}/etc/machine-id"
ln -sf ../run/systemd/resolve/stub-resolv.conf "${ROOTFS_DIR}/etc/resolv.conf"
on_chroot <<'CHROOT'
systemctl enable systemd-networkd.service systemd-resolved.service chrony.service
for unit in getty@.service serial-getty@.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer e2scrub_reap.service systemd-networkd-wait-online.service systemd-timesyncd.service \
    systemd-firstboot.service emergency.service rescue.service console-getty.service rpi-eeprom-update.service \
    userconfig.service sshswitch.service regenerate_ssh_host_keys.service resize2fs_once.service; do
    ln -sf /dev/null "/etc/systemd/system/$unit"
done
usermod --lock root
usermod --lock --shell /usr/sbin/nologin nobody-logs-in || true
CHROOT
