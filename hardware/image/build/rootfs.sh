# shellcheck shell=bash
# A card for the emulated board: Debian's arm64 kernel instead of the Pi's, otherwise what a real card gets: boot
# partition, read-only root with the agent's package, and room in which the first boot makes the others.

kernel_modules=(
    fs/ext4 fs/jbd2 fs/mbcache.ko fs/fat fs/nls fs/overlayfs lib crypto arch/arm64/crypto
    net/netfilter net/ipv4/netfilter net/ipv6/netfilter net/core net/802 net/llc
    block drivers/block/virtio_blk.ko drivers/net drivers/virtio drivers/char/virtio_console.ko drivers/char/hw_random
    drivers/watchdog drivers/usb/core drivers/usb/common drivers/usb/host drivers/usb/storage drivers/scsi
    drivers/gpio sound/core sound/drivers sound/soundcore.ko
)
root_mib=1400
card_mib=2300

# make_kernel: $cache/kernel, Debian's package unpacked, and $cache/initrd.
make_kernel() {
    local package
    [ ! -e "$cache/kernel.done" ] || return 0
    need cpio=cpio depmod=kmod
    say "Debian's kernel for arm64"
    dpkg --print-foreign-architectures | grep -qx arm64 || die "first: dpkg --add-architecture arm64 && apt-get update"
    package=$(apt-cache depends linux-image-arm64:arm64 | sed -n 's/.*Depends: \(linux-image-[^: ]*\).*/\1/p' | head -n 1)
    rm -rf "$cache/kernel" "$cache/download" && mkdir -p "$cache/download"
    (cd "$cache/download" && apt-get -q download "$package:arm64" busybox-static:arm64 >/dev/null 2>&1) ||
        die "apt cannot download $package for arm64"
    dpkg-deb -x "$cache"/download/linux-image-*.deb "$cache/kernel"
    dpkg-deb -x "$cache"/download/busybox-static_*.deb "$cache/kernel"
    depmod -b "$cache/kernel" "$(ls "$cache/kernel/lib/modules")"
    touch "$cache/kernel.done"
}

# lay_modules ROOT: the modules an emulated board can use; a real card has the Pi's own kernel.
lay_modules() {
    local version from one
    version=$(ls "$cache/kernel/lib/modules")
    from=$cache/kernel/lib/modules/$version
    mkdir -p "$1/lib/modules/$version/kernel"
    for one in "${kernel_modules[@]}"; do
        [ -e "$from/kernel/$one" ] || continue
        mkdir -p "$1/lib/modules/$version/kernel/$(dirname "$one")"
        cp -r "$from/kernel/$one" "$1/lib/modules/$version/kernel/$(dirname "$one")/"
    done
    cp "$from"/modules.{order,builtin,builtin.modinfo} "$1/lib/modules/$version/"
    depmod -b "$1" "$version"
}

# make_root DEB: $cache/root, a tree as it lies on the card.
make_root() {
    local root=$cache/root
    make_base
    say "root file system with $(basename "$1")"
    rm -rf "$root"
    cp -a "$cache/base" "$root"
    cp "$1" "$root/tmp/agent.deb"
    in_root "$root" dpkg -i /tmp/agent.deb >"$cache/root.log" 2>&1 || die "the package does not install, see $cache/root.log"
    rm -f "$root/tmp/agent.deb"
    harden_root "$root"
    lay_modules "$root"
    # Found under emulation before anything is booted: a library that is missing or for another processor.
    in_root "$root" /usr/bin/loalang-agent --version >&2 || die "the agent does not start"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/tmp/* "$root"/run/*
}

# harden_root ROOT: what makes a Debian a device. The Pi's image does the same, see pi-gen.
harden_root() {
    local unit
    cp "$image/boot/fstab" "$1/etc/fstab"
    mkdir -p "$1/boot/firmware"
    : >"$1/etc/machine-id"
    rm -f "$1/etc/resolv.conf" "$1/etc/hostname"
    ln -s ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"
    echo loalang >"$1/etc/hostname"
    printf '127.0.0.1 localhost\n127.0.1.1 loalang\n::1 localhost\n' >"$1/etc/hosts"
    rm -f "$1"/etc/apt/apt.conf.d/99* "$1"/etc/ssh/*
    in_root "$1" systemctl -q enable systemd-networkd.service systemd-resolved.service chrony.service
    # Nobody logs in, nothing updates itself, nothing repairs by asking.
    for unit in getty@.service serial-getty@.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
        e2scrub_all.timer e2scrub_reap.service systemd-networkd-wait-online.service systemd-timesyncd.service \
        systemd-firstboot.service emergency.service rescue.service console-getty.service; do
        ln -sf /dev/null "$1/etc/systemd/system/$unit"
    done
    in_root "$1" usermod --lock root
}

# make_card: $cache/card.img, partitions and all.
make_card() {
    local epoch
    need mkfs.ext4=e2fsprogs mkfs.vfat=dosfstools sfdisk=fdisk mcopy=mtools
    need_space 6000
    epoch=$(source_epoch)
    say "card image"
    rm -f "$cache"/{card,boot,root}.img
    truncate -s 64M "$cache/boot.img"
    mkfs.vfat -n LOALANGBOOT --invariant "$cache/boot.img" >/dev/null
    SOURCE_DATE_EPOCH=$epoch mkfs.ext4 -q -L LOALANG-ROOT -m 0 -O '^has_journal' -d "$cache/root" \
        "$cache/root.img" ${root_mib}M || die "the root does not fit into $root_mib MiB"
    truncate -s ${card_mib}M "$cache/card.img"
    printf 'label: dos\nlabel-id: 0x10a1a117\nstart=1MiB, size=64MiB, type=c\nsize=%dMiB, type=83\n' $root_mib |
        sfdisk --quiet "$cache/card.img"
    dd if="$cache/boot.img" of="$cache/card.img" bs=1M seek=1 conv=notrunc,sparse status=none
    dd if="$cache/root.img" of="$cache/card.img" bs=1M seek=65 conv=notrunc,sparse status=none
    rm -f "$cache"/{boot,root}.img
}
