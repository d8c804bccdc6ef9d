# shellcheck shell=bash
# What the steps of script/image share: where things are kept, what is missing, running arm64 programs.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
image=$here/hardware/image
cache=${LOALANG_IMAGE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/loalang-image}
suite=bookworm
python=311
mkdir -p "$cache"

die() { echo "script/image: $*" >&2; exit 1; }
say() { echo "[$(date +%T)] $*" >&2; }

# need COMMAND=PACKAGE...: all of them, or one line that says what to install.
need() {
    local missing=() one
    for one in "$@"; do
        command -v "${one%%=*}" >/dev/null 2>&1 || missing+=("${one#*=}")
    done
    [ ${#missing[@]} = 0 ] || die "first: apt-get install ${missing[*]}"
}

need_space() {  # MiB
    local free
    free=$(df --output=avail -m "$cache" | tail -n 1)
    [ "$free" -ge "$1" ] || die "$cache has ${free} MiB free; this needs $1. LOALANG_IMAGE_DIR=... uses another place"
}

need_root() { [ "$(id -u)" = 0 ] || die "this makes a root file system and needs root"; }

# The kernel hands arm64 programs to qemu; `F` keeps the interpreter open, so it is found inside a chroot too.
can_run_arm64() {
    local misc=/proc/sys/fs/binfmt_misc
    [ "$(uname -m)" != aarch64 ] || return 0
    need qemu-aarch64-static=qemu-user-static
    [ -e $misc/register ] || mount -t binfmt_misc none $misc || die "binfmt_misc cannot be mounted"
    [ -e $misc/qemu-aarch64 ] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >$misc/register
}

# The machine's own Debian mirror, wherever its apt has it from.
debian_mirror() {
    { apt-get indextargets --format '$(SITE) $(CODENAME) $(LABEL)' 2>/dev/null || true; } |
        awk -v suite=$suite '$2 == suite && $3 == "Debian" { print $1; exit }'
}

# in_root DIRECTORY COMMAND...: there, with /proc, and without any service being started.
in_root() {
    local root=$1 code=0
    shift
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    mountpoint -q "$root/proc" || mount -t proc none "$root/proc"
    DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$root" "$@" || code=$?
    umount "$root/proc"
    rm -f "$root/usr/sbin/policy-rc.d"
    return $code
}

# with_network ROOT: the machine's resolver and apt settings, for as long as something is installed.
with_network() {
    rm -f "$1/etc/resolv.conf"
    cp /etc/resolv.conf "$1/etc/resolv.conf"
    [ ! -d /etc/apt/apt.conf.d ] || grep -lrs '^Acquire::' /etc/apt/apt.conf.d | while read -r file; do
        cp "$file" "$1/etc/apt/apt.conf.d/"
    done
    mkdir -p "$1/etc/apt/sources.list.d"
    : >"$1/etc/apt/sources.list"
    cp /etc/apt/sources.list.d/debian.sources "$1/etc/apt/sources.list.d/" 2>/dev/null ||
        echo "deb $(debian_mirror) $suite main" >"$1/etc/apt/sources.list"
}

source_epoch() { git -C "$here" log -1 --format=%ct 2>/dev/null || echo 1735689600; }
