#!/usr/bin/env bash
# A swarm on this machine in one command: three workers, and a fourth that lies about every result, compute in how many ways 16 queens
# stand on a board of 16 by 16 without attacking each other. Everything stays on loopback and in a temporary directory.
# Installs missing Debian packages and builds first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly queens=16 known_answer=14772512  # OEIS A000170
readonly ready_within=30                  # seconds
bin=$PWD/build/release/bin

fail() { echo "try.sh: $*" >&2; exit 1; }

scripts/packages.sh build test
echo "Building (a few minutes the first time)..."
configured=$(cmake --preset release 2>&1) || fail "cmake --preset release says: $configured"
cmake --build build/release -j "$(nproc)" --target dugnad_worker dugnad_cli lying_worker

swarm=$(mktemp -d "${TMPDIR:-/tmp}/dugnad-try.XXXXXX")
pids=()
cleanup() {
  trap - EXIT INT TERM HUP
  local pid last=$((SECONDS + 6))  # a worker gives back its leases and ends within 5 s
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do
    while kill -0 "$pid" 2>/dev/null && [ $SECONDS -lt $last ]; do sleep 0.05; done
    kill -KILL "$pid" 2>/dev/null || true
  done
  rm -rf "$swarm"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME PROGRAM [OPTION]...: starts a worker and leaves in $contact what it prints behind `ready`. Its standard output stays open, on a
# descriptor of its own, for as long as this script runs.
start() {
  local name=$1 word="" output
  shift
  exec {output}< <(exec "$@" --data "$swarm/$name" --listen tcp://127.0.0.1:0 --cores 1 2>"$swarm/$name.log")
  pids+=($!)
  contact=""
  read -r -t "$ready_within" -u "$output" word contact || true
  if [ "$word" != ready ] || [ -z "$contact" ]; then
    tail -n 5 "$swarm/$name.log" >&2
    fail "$name ended, or was not ready within $ready_within s; above is what it said"
  fi
}

echo "Starting three workers, and one that lies..."
start worker-1 "$bin/dugnad-worker"
joined=$contact
start worker-2 "$bin/dugnad-worker" --join "$joined"
start worker-3 "$bin/dugnad-worker" --join "$joined"
start liar "$bin/lying_worker" --join "$joined"

echo "In how many ways can $queens queens stand? Each unit counts once two donors agree on it."
output=$("$bin/dugnad" submit nqueens --n $queens --copies 2 --join "$joined" --data "$swarm/submitter" --listen tcp://127.0.0.1:0) ||
  fail "the job did not end well"
answer=$(tail -n 1 <<<"$output")
[ "$answer" = $known_answer ] || fail "the swarm's answer is '$answer', but it should be $known_answer"
echo "$answer"
echo "That is the published number."

cat <<TXT

With a second machine:
  here:   build/release/bin/dugnad-worker --listen tcp://0.0.0.0:4210
          it prints 'ready CONTACT'; one contact is enough to find everybody
  there:  build/release/bin/dugnad-worker --join CONTACT
  then, on either:
          build/release/bin/dugnad submit nqueens --n 17 --copies 2 --join CONTACT
TXT
