#!/usr/bin/env bash
# Runs a command beside a swarm on this machine: one worker for each program named, on loopback, their state in a temporary directory. Ends the
# workers when the command has ended, and exits as it did.
#   with_swarm.sh WORKER... -- COMMAND [ARG]...      an ARG that is CONTACT becomes the first worker's contact
set -euo pipefail

fail() { echo "with_swarm.sh: $*" >&2; exit 2; }

workers=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do workers+=("$1"); shift; done
[ ${#workers[@]} -gt 0 ] && [ $# -gt 1 ] || fail "usage: with_swarm.sh WORKER... -- COMMAND [ARG]..."
shift

swarm=$(mktemp -d "${TMPDIR:-/tmp}/with_swarm.XXXXXX")
pids=()
cleanup() {
  trap - EXIT INT TERM HUP
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$swarm"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

contact=""
join=()
for i in "${!workers[@]}"; do
  mkfifo "$swarm/$i.out"
  "${workers[i]}" --listen tcp://127.0.0.1:0 --cores 1 --data "$swarm/$i" "${join[@]}" >"$swarm/$i.out" 2>"$swarm/$i.log" &
  pids+=($!)
  word="" its_contact=""
  # Its output stays open behind this descriptor for as long as the script runs.
  exec {out}<"$swarm/$i.out"
  read -r -t 30 -u "$out" word its_contact || true
  [ "$word" = ready ] || { cat "$swarm/$i.log" >&2; fail "${workers[i]} is not ready"; }
  if [ -z "$contact" ]; then contact=$its_contact join=(--join "$contact"); fi
done

command=()
for word in "$@"; do
  if [ "$word" = CONTACT ]; then word=$contact; fi
  command+=("$word")
done
# What the command keeps, it keeps here too.
XDG_DATA_HOME=$swarm/data "${command[@]}"
