#!/usr/bin/env bash
# Installs everything, once into a prefix and once staged by DESTDIR and moved, and runs what was installed: a worker that takes strangers'
# programs into its cages, and a submitter with a job.
#   installed_test.sh CMAKE BUILD_DIR
set -euo pipefail
cmake=$1 build=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/installed_test.XXXXXX")
chmod 755 "$work"  # a cage may be another user's
worker=
finish() {
  if [ -n "$worker" ]; then kill "$worker" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap finish EXIT

fail() {
  echo "installed_test.sh: $*" >&2
  exit 1
}

# Nothing of what the tests were started with says where things are.
clean=(env -i HOME="$work" PATH=/usr/bin:/bin)

# wait_for FILE PATTERN: until a line of the file matches, for twenty seconds.
wait_for() {
  timeout 20 tail -n +1 -F --pid="$worker" "$1" 2>/dev/null | grep -m 1 -e "$2" || true
}

# Returns its input. Made once; each check packs and sends it.
cat >"$work/echo.wat" <<'WAT'
(module (memory (export "memory") 1)
  (func (export "dugnad_alloc") (param i32) (result i32) (i32.const 1024))
  (func (export "dugnad_run") (param i32 i32) (result i64)
    (i64.or (i64.shl (i64.extend_i32_u (local.get 0)) (i64.const 32)) (i64.extend_i32_u (local.get 1)))))
WAT
wat2wasm "$work/echo.wat" -o "$work/echo.wasm"

# submit ARGUMENT...: what the installed dugnad prints.
submit() {
  "${clean[@]}" "$prefix/bin/dugnad" submit "$@" --copies 1 --local 0 --join "${contact#ready }" --data "$work/submitter" 2>"$work/said" ||
    fail "the submitter failed: $(cat "$work/said")"
}

# check PREFIX: what lies there works, from there.
check() {
  local prefix=$1 libnode said contact launcher answer
  for program in bin/dugnad-worker bin/dugnad bin/dugnad-sim libexec/dugnad/dugnad-launcher libexec/dugnad/dugnad-cage; do
    [ -x "$prefix/$program" ] || fail "there is no $program"
  done
  # Its V8 is the system's, or lies beside it: not where it was built.
  libnode=$("${clean[@]}" ldd "$prefix/libexec/dugnad/dugnad-cage" | sed -n 's/.*libnode.*=> \([^ ]*\).*/\1/p')
  case $libnode in
    "$prefix"/libexec/dugnad/* | /usr/lib/* | /lib/*) ;;
    *) fail "dugnad-cage loads '$libnode'" ;;
  esac

  "${clean[@]}" "$prefix/bin/dugnad-worker" --listen tcp://127.0.0.1:0 --data "$work/data" --cores 1 >"$work/out" 2>"$work/err" &
  worker=$!
  contact=$(wait_for "$work/out" '^ready ')
  [ -n "$contact" ] || fail "the worker does not get ready: $(cat "$work/err")"
  said=$(wait_for "$work/err" 'strangers\|programs')
  case $said in
    *"runs anybody's programs too, caged: seccomp, Landlock"*) ;;
    *) fail "the worker says '$said'" ;;
  esac
  # Its one child.
  launcher=$(cat "/proc/$worker/task/$worker/children")
  launcher=$(readlink "/proc/${launcher% }/exe") || fail "the worker has no launcher"
  [ "$launcher" = "$prefix/libexec/dugnad/dugnad-launcher" ] || fail "the launcher that runs is $launcher"
  answer=$(submit nqueens --n 8) || exit 1
  [ "$answer" = 92 ] || fail "eight queens stand in '$answer' ways"
  answer=$(printf 'one\ntwo\n' | submit "$work/echo.wasm" -) || exit 1
  case $answer in
    one*two) ;;
    *) fail "a stranger's program was given two lines and returned '$answer'" ;;
  esac
  kill "$worker"
  wait "$worker" || fail "the worker ended with $?"
  worker=
  rm -rf "$work/data" "$work/submitter"
}

"$cmake" --install "$build" --prefix "$work/prefix" >"$work/log" 2>&1 || fail "cannot install: $(tail -n 5 "$work/log")"
check "$work/prefix"
rm -rf "$work/prefix"

DESTDIR=$work/stage "$cmake" --install "$build" --prefix /opt/dugnad >"$work/log" 2>&1 || fail "cannot stage: $(tail -n 5 "$work/log")"
mv "$work/stage/opt/dugnad" "$work/moved"
check "$work/moved"
