#!/usr/bin/env bash
# The one list of the Debian packages that dugnad needs. Installs those of the named groups that are missing; does nothing when all are there.
#   scripts/packages.sh [build|test|fuzz]...     default: build test
#   scripts/packages.sh --list [GROUP]...        print the list instead
# Installs as root, or through sudo. Written for Debian 12.
# shellcheck disable=SC2034 # the groups are used through their names
set -euo pipefail

# The compiler and the libraries that the product is made with.
build=(g++ cmake ninja-build pkg-config ccache
       libzmq3-dev cppzmq-dev libmsgpack-cxx-dev   # transport and codec
       libtbb-dev libsodium-dev libsqlite3-dev     # executor, keys, journal
       libcli11-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libpng-dev)
# What the tests need on top.
test=(doctest-dev)
# libFuzzer comes with Clang alone.
fuzz=(clang-14 libclang-rt-14-dev)

list=no
groups=()
for argument in "$@"; do
  case "$argument" in
    --list) list=yes ;;
    build | test | fuzz) groups+=("$argument") ;;
    *) echo "packages.sh: '$argument' is no group of packages; there are build, test and fuzz" >&2; exit 2 ;;
  esac
done
[ ${#groups[@]} -gt 0 ] || groups=(build test)

wanted=()
for group in "${groups[@]}"; do
  declare -n packages="$group"
  wanted+=("${packages[@]}")
done
if [ $list = yes ]; then printf '%s\n' "${wanted[@]}"; exit; fi

if ! command -v dpkg-query >/dev/null; then
  echo "packages.sh: no dpkg here, so install these by your system's own means: ${wanted[*]}" >&2
  exit 1
fi
# dpkg-query fails where it knows nothing of a package; that package is simply missing.
there=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qxF "installed $package" <<<"$there" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

by_hand="apt-get install --no-install-recommends ${missing[*]}"
if [ "$(id -u)" = 0 ]; then
  as_root=()
elif command -v sudo >/dev/null; then
  as_root=(sudo)
else
  echo "packages.sh: packages are missing, and this is neither root nor is there sudo; as root: $by_hand" >&2
  exit 1
fi
echo "packages.sh: installing ${missing[*]}" >&2
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >&2; }
if ! { apt update && apt install -y --no-install-recommends "${missing[@]}"; }; then
  echo "packages.sh: could not install what is missing; as root: $by_hand" >&2
  exit 1
fi
