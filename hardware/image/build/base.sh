# shellcheck shell=bash
# The arm64 root that everything begins with: Debian, and what the agent's package depends on. Made once, then kept.

base_packages=(
    systemd systemd-sysv systemd-resolved udev kmod dbus libpam-systemd init-system-helpers
    chrony nftables iproute2 e2fsprogs util-linux mount fdisk dosfstools procps ca-certificates
    libvlc5 libvlc-bin vlc-plugin-base libopus0 libopusfile0 libasound2 alsa-utils i2c-tools wpasupplicant
    python3 python3-minimal
)
builder_packages=(gcc libc6-dev python3-dev python3-pip python3-setuptools python3-wheel libasound2-dev)

# make_base: $cache/base, a tree.
make_base() {
    local key mirror
    key=$(echo "$suite ${base_packages[*]}" | sha256sum | cut -c1-16)
    [ "$(cat "$cache/base.key" 2>/dev/null)" != "$key" ] || return 0
    need debootstrap=debootstrap
    need_root
    need_space 4000
    can_run_arm64
    mirror=$(debian_mirror)
    [ -n "$mirror" ] || die "apt of this machine has no $suite; see apt-cache policy"
    say "a $suite root for arm64 (about five minutes under emulation)"
    rm -rf "$cache/base" "$cache/base.key"
    debootstrap --arch=arm64 --variant=minbase --foreign $suite "$cache/base" "$mirror" >"$cache/base.log" 2>&1 &&
        chroot "$cache/base" /debootstrap/debootstrap --second-stage >>"$cache/base.log" 2>&1 ||
        die "debootstrap failed, see $cache/base.log"
    printf 'path-exclude=/usr/share/%s/*\n' doc man locale info >"$cache/base/etc/dpkg/dpkg.cfg.d/slim"
    with_network "$cache/base"
    { in_root "$cache/base" apt-get -q update &&
        in_root "$cache/base" apt-get -q install -y --no-install-recommends "${base_packages[@]}" &&
        in_root "$cache/base" apt-get clean; } >>"$cache/base.log" 2>&1 || die "see $cache/base.log"
    rm -rf "$cache/base/var/lib/apt/lists"/*
    echo "$key" >"$cache/base.key"
}

# make_builder: $cache/builder, the same with a compiler, for the two libraries that come as C source only.
make_builder() {
    make_base
    [ "$(cat "$cache/builder.key" 2>/dev/null)" != "$(cat "$cache/base.key")" ] || return 0
    say "a compiler for arm64"
    rm -rf "$cache/builder"
    cp -a "$cache/base" "$cache/builder"
    with_network "$cache/builder"
    { in_root "$cache/builder" apt-get -q update &&
        in_root "$cache/builder" apt-get -q install -y --no-install-recommends "${builder_packages[@]}"; } \
        >"$cache/builder.log" 2>&1 || die "see $cache/builder.log"
    cp "$cache/base.key" "$cache/builder.key"
}
