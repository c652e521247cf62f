#!/bin/bash
# arch_root.sh - unpacks Debian's programs of another architecture into a
# folder, for qemu-user: nothing is installed, and nothing there is started.
#
#   scripts/arch_root.sh arm64 build-aarch64/root
#
# The system must know the architecture: dpkg --add-architecture (which
# scripts/setup.sh --arch does).
set -euo pipefail
packages=(libc6 libgcc-s1 libstdc++6 libjansson4 libzstd1    # the lab's
          libcrypt1 zlib1g libexpat1 libtinfo6 libreadline8
          python3.11-minimal libpython3.11-minimal
          perl-base
          sqlite3 libsqlite3-0)

if (($# != 2)); then
    echo "arch_root.sh: found $# arguments, expected a Debian architecture" \
        "and a folder: scripts/arch_root.sh arm64 build-aarch64/root" >&2
    exit 2
fi
arch=$1 root=$2
[[ ! -e $root/complete ]] || exit 0
if ! dpkg --print-foreign-architectures | grep -qx "$arch"; then
    echo "arch_root.sh: this system does not know $arch; as root:" \
        "dpkg --add-architecture $arch && apt-get update" >&2
    exit 1
fi
rm -rf "$root"
mkdir -p "$root/packages"
cd "$root/packages"
apt-get -qq -o APT::Sandbox::User=root download "${packages[@]/%/:$arch}"
for package in *.deb; do
    dpkg-deb -x "$package" ..
done
cd ..
rm -rf packages
: >complete
