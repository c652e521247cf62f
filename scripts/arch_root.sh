#!/bin/bash
# arch_root.sh - unpacks Debian's libraries and programs for another machine
# into a folder, for qemu-user: nothing is installed, nothing there is started,
# and the system need not know of that machine.
#
#   scripts/arch_root.sh aarch64 build-root/aarch64
#
# From the Debian that this machine runs; for riscv64, which came to Debian with
# 13, from that one. Does nothing if the folder is complete.
set -euo pipefail
debian=http://deb.debian.org/debian
keys=/usr/share/keyrings/debian-archive-keyring.gpg

if (($# != 2)); then
    echo "arch_root.sh: found $# arguments, expected a machine and a folder:" \
        "scripts/arch_root.sh aarch64 build-root/aarch64" >&2
    exit 2
fi
root=$2
packages=(libc6 libgcc-s1 libatomic1 libstdc++6    # the lab's
          libjansson4 libzstd1
          libjemalloc2                             # mdriver -a
          libcrypt1 zlib1g libexpat1 libtinfo6
          perl-base sqlite3 libsqlite3-0)
case $1 in
aarch64)
    arch=arm64 suite=bookworm
    packages+=(libtcmalloc-minimal4 libmimalloc2.0 libreadline8
               python3.11-minimal libpython3.11-minimal) ;;
riscv64)
    arch=riscv64 suite=trixie
    packages+=(libtcmalloc-minimal4t64 libmimalloc3 libreadline8t64
               python3.13-minimal libpython3.13-minimal) ;;
*)
    echo "arch_root.sh: found the machine '$1', expected aarch64 or riscv64" >&2
    exit 2 ;;
esac
[[ ! -e $root/complete ]] || exit 0
for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null || {
        echo "arch_root.sh: found no $tool; only on Debian can its packages" \
            "be had this way" >&2
        exit 1
    }
done

# A package manager's state of its own, in which that machine is the only one.
rm -rf "$root"
mkdir -p "$root/packages/lists/partial"
cd "$root/packages"
echo "deb [signed-by=$keys] $debian $suite main" >sources.list
: >status
apt=(apt-get -qq -o APT::Architecture="$arch" -o APT::Architectures="$arch"
     -o APT::Sandbox::User=root -o Acquire::Languages=none
     -o Dir::State="$PWD" -o Dir::State::status="$PWD/status"
     -o Dir::Cache="$PWD/cache" -o Dir::Etc::sourcelist="$PWD/sources.list"
     -o Dir::Etc::sourceparts=- -o Acquire::Retries=3)
"${apt[@]}" update
"${apt[@]}" download "${packages[@]}"
for package in *.deb; do
    dpkg-deb -x "$package" ..
done
cd ..
[[ -e lib ]] || ln -s usr/lib lib
rm -rf packages
: >complete
