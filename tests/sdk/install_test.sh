#!/usr/bin/env bash
# Installs the SDK into a temporary prefix and builds outside projects against it: one finds it through CMake, one through pkg-config.
#   install_test.sh CMAKE BUILD_DIR CXX
set -euo pipefail
cmake=$1 build=$2 cxx=$3
outside=$(cd "$(dirname "${BASH_SOURCE[0]}")/outside" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/install_test.XXXXXX")
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

quietly() {
  "$@" >"$work/log" 2>&1 && return
  cat "$work/log" >&2
  echo "install_test.sh: failed: $*" >&2
  exit 1
}
expect() {
  [ "$2" = "$3" ] || { echo "install_test.sh: $1 says '$2', not '$3'" >&2; exit 1; }
}

quietly "$cmake" --install "$build" --prefix "$prefix" --component sdk

# What a user's program sees of us: each header alone, and none of the libraries behind it.
for header in "$prefix"/include/dugnad/*.h "$prefix"/include/dugnad/tasks/*.h "$prefix"/include/dugnad/worker/*.h; do
  echo "#include \"$header\"" | "$cxx" -std=c++20 -I"$prefix/include" -I"$prefix/include/dugnad" -M -x c++ - >"$work/includes"
  if grep -E '/(zmq|msgpack|tbb|oneapi|sodium|sqlite3|png|spdlog|fmt|nlohmann|CLI)[./]' "$work/includes"; then
    echo "install_test.sh: ${header#"$prefix/include/"} reaches the headers above, which a user need not have" >&2
    exit 1
  fi
  if grep -F "${outside%/tests/sdk/outside}/" "$work/includes"; then
    echo "install_test.sh: ${header#"$prefix/include/"} reaches headers that are not installed" >&2
    exit 1
  fi
done

quietly "$cmake" -G Ninja -S "$outside" -B "$work/build" -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=None
quietly "$cmake" --build "$work/build"
expect "the CMake project" "$("$work/build/squares")" "0 1 4 9"
"$work/build/own_worker" --help >"$work/help"
# Guests: made wherever this build makes its own, and each with the exports of its kind.
if [ -d "$build/guests" ]; then
  for export in reversed:dugnad_run reversed:dugnad_alloc reversed:dugnad_check shout:dugnad_run echo:_start; do
    grep -qa "${export#*:}" "$work/build/guests/${export%:*}.wasm" || { echo "install_test.sh: no guest ${export/:/ that exports }" >&2; exit 1; }
  done
  if grep -la wasi_snapshot_preview1 "$work"/build/guests/{reversed,shout}.wasm; then
    echo "install_test.sh: the reactors above import from WASI" >&2
    exit 1
  fi
fi

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name dugnad.pc)")
export PKG_CONFIG_PATH
read -ra flags <<<"$(pkg-config --cflags --libs dugnad)"
quietly "$cxx" -std=c++20 "$outside/squares.cpp" "${flags[@]}" -o "$work/squares"
expect "the pkg-config project" "$("$work/squares")" "0 1 4 9"
read -ra flags <<<"$(pkg-config --cflags --libs dugnad-worker)"
quietly "$cxx" -std=c++20 "$outside/own_worker.cpp" "${flags[@]}" -o "$work/own_worker"
"$work/own_worker" --help >"$work/help"
