# shellcheck shell=bash
# An emulated arm64 computer with the card in it, and what only an emulated one has: an initrd that brings the
# simulated board in from a second disk. The card itself is as it would be.

emulation_modules=(virtio_pci virtio_blk virtio_net ext4 crc32c_generic)

make_rootfs() {
    local deb key
    need_root
    can_run_arm64
    make_kernel
    deb=$(make_deb | tail -n 1)
    key=$(cat "$deb" "$image/boot/fstab" "$image"/build/{base,rootfs}.sh | sha256sum | cut -c1-16)
    if [ "$(cat "$cache/card.key" 2>/dev/null)" != "$key" ]; then
        make_root "$deb"
        make_card
        echo "$key" >"$cache/card.key"
    fi
    make_initrd
    make_emulation
    say "card: $cache/card.img, $(du -m "$cache/card.img" | cut -f1) MiB used of ${card_mib}"
}

make_initrd() {
    local tree version
    version=$(ls "$cache/kernel/lib/modules")
    tree=$(mktemp -d "$cache/initrd.XXXXXX")
    mkdir -p "$tree"/{bin,dev,proc,sys,run,root,modules}
    cp "$cache/kernel/bin/busybox" "$tree/bin/"
    modprobe -d "$cache/kernel" -S "$version" --show-depends -a "${emulation_modules[@]}" | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' |
        while read -r module; do
            cp "$module" "$tree/modules/"
            basename "$module"
        done >"$tree/modules/order"
    cp "$here/simulators/emulation/init" "$tree/init"
    (cd "$tree" && find . -print0 | cpio --quiet --null -o -H newc | gzip -1) >"$cache/initrd.gz"
    rm -rf "$tree"
}

# make_emulation: a disk with the simulated board and the units that reach it.
make_emulation() {
    local tree
    tree=$(mktemp -d "$cache/emulation.XXXXXX")
    mkdir -p "$tree/python"
    (cd "$here" && find simulators -name '*.py' ! -path '*/story/*' ! -path '*/bench/*' -print0) |
        tar -C "$here" --null -T - -cf - | tar -C "$tree/python" -xf -
    cp -r "$here/simulators/emulation/units" "$tree/units"
    "$here/.venv/bin/python" -m compileall -q --invalidation-mode unchecked-hash "$tree/python"
    chmod -R a+rX "$tree"
    rm -f "$cache/emulation.img"
    mkfs.ext4 -q -L LOALANG-EMU -O '^has_journal' -d "$tree" "$cache/emulation.img" 32M
    rm -rf "$tree"
}

boot() {
    case " $* " in
    *" --help "* | *" -h "*) ;;
    *)
        need qemu-system-aarch64=qemu-system-arm mcopy=mtools
        make_rootfs
        ;;
    esac
    cd "$here"
    exec "$here/.venv/bin/python" -m simulators.emulation --built "$cache" "$@"
}
