#!/usr/bin/env bash
# Builds the benchmarks optimised and runs them: a table on stdout, every sample in a JSON file. Best on a machine with nothing else to do.
#   tests/bench/run.sh [--only a,c] [--pairs N] [--quick] [--json FILE]
# DUGNAD_BENCH_BUILD says where to build; default build/bench.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${DUGNAD_BENCH_BUILD:-$root/build/bench}
"$root/scripts/packages.sh" build test guest
cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DDUGNAD_EXAMPLES=OFF >&2
cmake --build "$build" --target bench_programs >&2
exec "$build/bin/bench" --json "$build/bench.json" "$@"
