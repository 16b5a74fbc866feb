#!/usr/bin/env bash
# The one list of the Debian packages that dugnad needs. Installs those of the named groups that are missing; does nothing when all are there.
#   scripts/packages.sh [build|test|fuzz|guest]...   default: build test
#   scripts/packages.sh --list [GROUP]...            print the list instead
# Installs as root, or through sudo. Written for Debian 12. Where a third-party Node.js keeps Debian's libnode-dev out, that one is unpacked into
# .cache/libnode, where CMake (cmake/FindLibnode.cmake) finds it.
# shellcheck disable=SC2034 # the groups are used through their names
set -euo pipefail

# The compiler and the libraries that the product is made with.
build=(g++ cmake ninja-build pkg-config ccache
       libzmq3-dev cppzmq-dev libmsgpack-cxx-dev   # transport and codec
       libtbb-dev libsodium-dev libsqlite3-dev     # executor, keys, journal
       libcli11-dev libspdlog-dev libfmt-dev nlohmann-json3-dev libpng-dev
       libnode-dev wabt libseccomp-dev libzstd-dev)  # strangers' code: V8, the pass over it, the cage, how it travels
# What the tests need on top.
test=(doctest-dev)
# libFuzzer comes with Clang alone.
fuzz=(clang-14 libclang-rt-14-dev)
# What compiles guests to WebAssembly, for the tests that run them. Debian's rustc links with lld-14, which it only recommends.
guest=(clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32 libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 rustc
  libstd-rust-dev-wasm32 lld-14)
# What Debian's libnode needs from the system when it is unpacked beside another Node.js.
under_libnode=(libuv1 libssl3 libicu72 libbrotli1 libc-ares2 libnghttp2-14 zlib1g)

list=no
groups=()
for argument in "$@"; do
  case "$argument" in
    --list) list=yes ;;
    build | test | fuzz | guest) groups+=("$argument") ;;
    *) echo "packages.sh: '$argument' is no group of packages; there are build, test, fuzz and guest" >&2; exit 2 ;;
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

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly unpacked=.cache/libnode

# find_missing PACKAGE...: leaves in `missing` those that are not installed.
find_missing() {
  local there package
  # dpkg-query fails where it knows nothing of a package; that package is simply missing.
  there=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
  missing=()
  for package in "$@"; do
    grep -qxF "installed $package" <<<"$there" || missing+=("$package")
  done
}
newest_libnode() { apt-cache policy libnode-dev 2>/dev/null | sed -n 's/^  Candidate: //p'; }
# The copy of our own is there, and as new as what apt knows: security updates come as a new version.
unpacked_is_current() {
  local here newest
  here=$(cat "$unpacked/version" 2>/dev/null) || return 1
  newest=$(newest_libnode)
  [ -z "$newest" ] || [ "$newest" = "(none)" ] || [ "$here" = "$newest" ]
}
# without PACKAGE: takes it out of `missing`.
without() {
  local kept=() package
  for package in "${missing[@]}"; do [ "$package" = "$1" ] || kept+=("$package"); done
  missing=("${kept[@]}")
}
is_missing() { [[ " ${missing[*]} " == *" $1 "* ]]; }
# With the copy of our own, what it needs stands in for the package.
instead_of_libnode() {
  local others
  without libnode-dev
  others=("${missing[@]}")
  find_missing "${under_libnode[@]}"
  missing=("${others[@]}" "${missing[@]}")
}

find_missing "${wanted[@]}"
if is_missing libnode-dev && unpacked_is_current; then instead_of_libnode; fi
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
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >&2; }
give_up() { echo "packages.sh: could not $1; as root: $by_hand" >&2; exit 1; }

# Fetches Debian's own libnode, whose signature apt checks, and unpacks it; the name appears once it is complete.
unpack_libnode() {
  local fresh
  mkdir -p .cache
  fresh=$(mktemp -d .cache/libnode.XXXXXX)
  if ! (cd "$fresh" && apt-get -qq download libnode-dev libnode108 2>/dev/null); then
    rm -rf "$fresh"
    return 1
  fi
  local package
  for package in "$fresh"/*.deb; do dpkg -x "$package" "$fresh"; done
  dpkg-deb -f "$fresh"/libnode-dev_*.deb Version >"$fresh/version"
  rm -f "$fresh"/*.deb
  chmod 755 "$fresh"  # mktemp's 0700 would hide the library from a cage that has dropped its privileges
  rm -rf "$unpacked"
  mv "$fresh" "$unpacked"
}

echo "packages.sh: installing ${missing[*]}" >&2
apt update || give_up "fetch the lists of packages"
if is_missing libnode-dev && ! apt-get -qq --simulate --no-remove --no-install-recommends install libnode-dev >/dev/null 2>&1; then
  echo "packages.sh: apt cannot install libnode-dev beside the Node.js that is here, so it is unpacked into $unpacked" >&2
  unpack_libnode || give_up "download Debian's libnode-dev and libnode108"
  instead_of_libnode
fi
[ ${#missing[@]} = 0 ] || apt install -y --no-install-recommends "${missing[@]}" || give_up "install what is missing"
