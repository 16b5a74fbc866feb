#!/usr/bin/env bash
# Builds everything and tests it: all tests in the release build, then under sanitizers the core, the simulator and whatever has threads.
#   ./test.sh            all of it
#   ./test.sh --quick    the release build and its tests alone
# Installs missing Debian packages first. The first step that fails ends it, and says how to repeat that step.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

quick=no
case "$*" in
  "") ;;
  --quick) quick=yes ;;
  -h | --help) sed -n '2,5s/^# \{0,1\}//p' test.sh; exit ;;
  *) echo "test.sh: unknown options '$*'; there is only --quick" >&2; exit 2 ;;
esac

jobs=$(nproc)
summaries=()  # ctest's own closing lines, one for each build

# step WHAT COMMAND...
step() {
  local what=$1
  shift
  printf '\n== %s\n' "$what"
  if "$@"; then return; fi
  printf '\n== FAILED: %s\n   to repeat: ' "$what"
  printf '%q ' "$@"
  printf '\n'
  exit 1
}

# run_tests PRESET [how ctest chooses]...; $under names the command that ctest runs under.
under=()
run_tests() {
  local preset=$1 log="build/$1/test.log"
  shift
  step "$preset: tests" "${under[@]}" \
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$jobs" "$@" 2>&1 | tee "$log"
  summaries+=("$(printf '%-8s %s' "$preset" "$(grep 'tests passed' "$log")")")
}

# chosen PRESET how ctest chooses...: the names of those tests, which are their targets' names too (dugnad_test gives both the same).
chosen() { ctest --test-dir "build/$1" -N "${@:2}" | sed -n 's/^ *Test *#[0-9]*: //p'; }

# sanitized PRESET how ctest chooses...: builds those tests, nothing else, and runs them.
sanitized() {
  local preset=$1 names
  step "$preset: configure" cmake --preset "$preset"
  mapfile -t names < <(chosen "$@")
  if [ ${#names[@]} = 0 ]; then
    echo "test.sh: the $preset build has no test that matches ${*:2}" >&2
    exit 1
  fi
  step "$preset: build" cmake --build "build/$preset" -j "$jobs" --target "${names[@]}"
  run_tests "$@"
}

step "packages" scripts/packages.sh build test guest
step "release: configure" cmake --preset release
step "release: build" cmake --build build/release -j "$jobs"
run_tests release

if [ $quick = no ]; then
  under=(env DUGNAD_SIM_SEEDS=20)  # a sanitizer makes a simulation some five times slower
  sanitized asan -L '^(core|sim)$'
  under=()
  sanitized asan -R '^test_(worker|store|cli)$'

  # GCC 12's ThreadSanitizer has no room for its shadow where the kernel randomises addresses by more than 28 bits.
  under=()
  if setarch "$(uname -m)" -R true 2>/dev/null; then under=(setarch "$(uname -m)" -R); fi
  sanitized tsan -R '^test_(worker|store|zmq)$'

  # The fuzzers' short run; they need Clang, so that they are a build of their own.
  if [ -f tests/fuzz/CMakeLists.txt ]; then
    step "packages for fuzzing" scripts/packages.sh fuzz
    under=()
    sanitized fuzz -L '^fuzz$'
  fi
fi

printf '\n== all passed in %d min %02d s\n' $((SECONDS / 60)) $((SECONDS % 60))
printf '%s\n' "${summaries[@]}"
