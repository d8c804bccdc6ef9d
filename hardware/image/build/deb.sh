# shellcheck shell=bash
# The Debian package: our code, every Python library it needs as arm64 wheels, units and settings. Reproducible: the
# same commit and the same wheels give the same bytes.

source_only=(pyalsaaudio RPi.GPIO)

# make_wheels: $cache/wheels, arm64 wheels of all that setup.cfg names for the agent and its board.
make_wheels() {
    local python_here=$here/.venv/bin/python wanted key one platforms=() plain=()
    [ -x "$python_here" ] || die "first: script/bootstrap test"
    wanted=$("$python_here" "$image/build/requirements.py" "$here/setup.cfg") || die "setup.cfg cannot be read"
    key=$(echo "$wanted" | sha256sum | cut -c1-16)
    [ "$(cat "$cache/wheels.key" 2>/dev/null)" != "$key" ] || return 0
    say "wheels for arm64"
    rm -rf "$cache/wheels" "$cache/sdists" && mkdir -p "$cache/wheels" "$cache/sdists"
    for one in manylinux_2_36 manylinux_2_34 manylinux_2_31 manylinux_2_28 manylinux_2_17 manylinux2014; do
        platforms+=(--platform "${one}_aarch64")
    done
    while read -r one; do
        case " ${source_only[*]} " in
        *" ${one%%[<>=]*} "*)
            "$python_here" -m pip -q download --no-deps --no-binary=:all: -d "$cache/sdists" "$one" || return 1 ;;
        *) plain+=("$one") ;;
        esac
    done <<<"$wanted"
    "$python_here" -m pip -q download "${platforms[@]}" --python-version $python --implementation cp --abi cp$python \
        --abi abi3 --abi none --only-binary=:all: -d "$cache/wheels" "${plain[@]}" || die "no wheels for arm64"
    build_sources || die "see $cache/builder.log"
    echo "$key" >"$cache/wheels.key"
}

build_sources() {
    make_builder
    can_run_arm64
    say "compiling ${source_only[*]} for arm64"
    rm -rf "$cache/builder/root/sdists" "$cache/builder/root/wheels"
    cp -r "$cache/sdists" "$cache/builder/root/sdists"
    in_root "$cache/builder" sh -c 'cd /root && SOURCE_DATE_EPOCH=1735689600 CFLAGS="-O2 -g0 -ffile-prefix-map=/tmp=." \
        python3 -m pip wheel -q --no-index --no-deps --no-build-isolation -w wheels /root/sdists/*' \
        >>"$cache/builder.log" 2>&1 && cp "$cache"/builder/root/wheels/*.whl "$cache/wheels/"
}

package_version() {
    local agent
    agent=$(sed -n 's/^AGENT_VERSION: Final = "\(.*\)"/\1/p' "$here/edge/config.py")
    echo "$agent+$(git -C "$here" rev-list --count HEAD).$(git -C "$here" rev-parse --short=8 HEAD)"
}

# lay_python ROOT: libraries and ours below usr/lib/loalang/python, compiled for a root that is never written.
lay_python() {
    local libraries=$1/usr/lib/loalang/python one
    mkdir -p "$libraries"
    "$here/.venv/bin/python" -m pip -q --disable-pip-version-check install --no-index --no-deps --no-compile \
        --platform manylinux_2_36_aarch64 --platform manylinux_2_34_aarch64 --platform manylinux_2_28_aarch64 \
        --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 --platform linux_aarch64 \
        --python-version $python --implementation cp --abi cp$python --abi abi3 --abi none --only-binary=:all: \
        --target "$libraries" "$cache"/wheels/*.whl || die "the wheels do not fit together"
    # What libraries bring for their own tests, for other interpreters and for installing themselves.
    rm -rf "$libraries"/{bin,setuptools*,_distutils_hack,distutils-precedence.pth,pkg_resources}
    find "$libraries" -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} +
    find "$libraries" \( -name direct_url.json -o -name REQUESTED -o -name INSTALLER -o -name .gitignore -o -name '_testcapi*.so' \) -delete
    for one in protocol edge hardware; do
        (cd "$here" && find "$one" -path hardware/image -prune -o -type f ! -path '*/__pycache__/*' -print0) |
            tar -C "$here" --null -T - -cf - | tar -C "$libraries" -xf -
    done
    "$here/.venv/bin/python" -m compileall -q -j 2 --invalidation-mode unchecked-hash \
        -s "$1" "$libraries" || die "a module does not compile"
}

lay_system() {
    local root=$1 to
    while read -r from to; do
        mkdir -p "$root/$to"
        cp -r "$image"/$from "$root/$to/"
    done <<'LIST'
systemd/* usr/lib/systemd/system
etc/systemd/system/* usr/lib/systemd/system
etc/systemd/system.conf.d usr/lib/systemd
etc/systemd/journald.conf.d usr/lib/systemd
etc/systemd/network usr/lib/systemd
etc/systemd/resolved.conf.d usr/lib/systemd
etc/udev/rules.d/* usr/lib/udev/rules.d
etc/sysusers.d/* usr/lib/sysusers.d
etc/tmpfiles.d/* usr/lib/tmpfiles.d
etc/sysctl.d/* usr/lib/sysctl.d
etc/chrony/* etc/chrony
etc/alsa/* etc/alsa/conf.d
etc/firewall.nft usr/lib/loalang
storage usr/lib/loalang
clock usr/lib/loalang
workshop usr/lib/loalang
boards usr/lib/loalang
boot usr/lib/loalang
package/loalang-agent usr/bin
package/loalang-selftest usr/bin
package/copyright usr/share/doc/loalang-agent
LIST
    cp "$here/docs/image.md" "$root/usr/share/doc/loalang-agent/"
    mkdir -p "$root/etc/loalang" "$root/var/lib/loalang" "$root/media/loalang"
}

# sources_key: what the package is made from.
sources_key() {
    (cd "$here" && cat "$cache/wheels.key" && git rev-parse HEAD && find protocol edge hardware docs/image.md -type f \
        ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) | sha256sum | cut -c1-16
}

make_deb() {
    local root version epoch deb key
    need dpkg-deb=dpkg git=git
    need_space 1500
    make_wheels
    key=$(sources_key)
    deb=$(ls "$cache"/loalang-agent_*_arm64.deb 2>/dev/null || true)
    if [ -n "$deb" ] && [ "$(cat "$cache/deb.key" 2>/dev/null)" = "$key" ]; then
        echo "$deb"
        return
    fi
    root=$(mktemp -d "$cache/deb.XXXXXX")
    version=$(package_version) epoch=$(source_epoch)
    say "loalang-agent $version"
    chmod 755 "$root"
    lay_python "$root"
    lay_system "$root"
    mkdir -p "$root/DEBIAN"
    cp "$image"/package/{conffiles,postinst,prerm,postrm} "$root/DEBIAN/"
    printf 'loalang-agent (%s) stable; urgency=medium\n\n  * See CHANGELOG.md of the project.\n\n -- %s  %s\n' \
        "$version" "Loa Lang project <loalang@localhost>" "$(LC_ALL=C date -u -R -d "@$epoch")" |
        gzip -9n >"$root/usr/share/doc/loalang-agent/changelog.gz"
    sed -e "s/@VERSION@/$version/" -e "s/@SIZE_KB@/$(du -sk --apparent-size "$root" | cut -f1)/" \
        "$image/package/control" >"$root/DEBIAN/control"
    (cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | LC_ALL=C sort -z |
        xargs -0 md5sum >DEBIAN/md5sums)
    find "$root" -type d -exec chmod 755 {} + -o -type f -perm /111 -exec chmod 755 {} + -o -type f -exec chmod 644 {} +
    find "$root" -newermt "@$epoch" -exec touch --no-dereference --date="@$epoch" {} +
    deb=$cache/loalang-agent_${version}_arm64.deb
    rm -f "$cache"/loalang-agent_*_arm64.deb
    SOURCE_DATE_EPOCH=$epoch dpkg-deb -Zxz -z6 --root-owner-group --build "$root" "$deb" >/dev/null || die "dpkg-deb failed"
    rm -rf "$root"
    echo "$key" >"$cache/deb.key"
    say "$(du -h "$deb" | cut -f1) $deb"
    echo "$deb"
}
