#!/usr/bin/env bash
# Three peers on this machine compute a job together: two workers that donate, and a submitter that computes a part itself. Each unit counts
# once two of the three agree on it.
#   three_peers.sh [BIN]      BIN has dugnad and dugnad-worker; default: the release build's
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
bin=${1:-$here/../build/release/bin}

answer=$("$here/with_swarm.sh" "$bin/dugnad-worker" "$bin/dugnad-worker" -- \
  "$bin/dugnad" submit primes --to 1000000000 --copies 2 --listen tcp://127.0.0.1:0 --join CONTACT | tail -n 1)
echo "There are $answer primes below 1000000000."
[ "$answer" = 50847534 ] || { echo "three_peers.sh: the tables say 50847534" >&2; exit 1; }
