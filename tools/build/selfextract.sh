#!/bin/sh
# @NAME@ @VERSION@ in one file: this script, then the program, then the Deno
# runtime (gzip). Unpacks both once into a private cache, then runs them there.
set -eu
umask 077
name=@NAME@
program_sha256=@PROGRAM_SHA256@ program_at=@PROGRAM_AT@ program_size=@PROGRAM_SIZE@
runtime_sha256=@RUNTIME_SHA256@ runtime_at=@RUNTIME_AT@

fail() {
  printf '%s: %s\n' "$name" "$1" >&2
  exit 1
}
other="set @ENV@_CACHE_DIR to another directory"
uid=$(id -u)
if [ -n "${@ENV@_CACHE_DIR:-}" ]; then base=$@ENV@_CACHE_DIR
elif [ "$uid" -eq 0 ]; then base=/var/cache/$name
elif [ -n "${XDG_CACHE_HOME:-}" ]; then base=$XDG_CACHE_HOME/$name
elif [ -n "${HOME:-}" ]; then base=$HOME/.cache/$name
else fail "HOME is not set, so there is no place to unpack to; $other"; fi

# A directory of ours, no link, closed to everybody else.
is_private() {
  [ -d "$1" ] && [ ! -L "$1" ] || return 1
  # shellcheck disable=SC2012,SC2046 # the name is the last field, so splitting is safe
  set -- $(ls -ldn -- "$1")
  case $1 in drwx------*) ;; *) return 1 ;; esac
  [ "$3" -eq "$uid" ]
}
sha256_of() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum <"$1" | cut -c 1-64
  elif command -v sha256 >/dev/null 2>&1; then sha256 -q "$1"
  else fail "neither sha256sum nor sha256 is installed"; fi
}
# unpack DIRECTORY FILE SHA256 MODE COMMAND: makes DIRECTORY/FILE of what COMMAND
# prints, whole or not at all, however many do it at the same time.
unpack() {
  [ ! -f "$1/ok" ] || return 0
  new=$(mktemp -d "$base/.new.XXXXXX" 2>/dev/null) || fail "cannot write in $base; $other"
  trap 'rm -rf -- "$new"' EXIT
  trap 'exit 1' HUP INT TERM
  "$5" 2>/dev/null >"$new/$2" || fail "cannot unpack $0 into $base: damaged, or no space left"
  [ "$(sha256_of "$new/$2")" = "$3" ] || fail "$0 is damaged; get it again"
  chmod "$4" "$new/$2"
  : >"$new/ok"
  sync -- "$new/$2" 2>/dev/null || sync 2>/dev/null || :
  mv -- "$new" "$1" 2>/dev/null || :
  rm -rf -- "$1/${new##*/}" # somebody else was first, and mv went into their directory
  [ -f "$1/ok" ] || fail "cannot make $1; remove it, or $other"
  trap - EXIT HUP INT TERM
  find "$base"/* "$base"/.new.* -prune -type d -mtime +30 ! -name "${runtime##*/}" \
    -exec rm -rf -- {} + 2>/dev/null || : # what no version has needed for long
}
print_program() { tail -c "+$program_at" -- "$0" | head -c "$program_size"; }
print_runtime() { tail -c "+$runtime_at" -- "$0" | gzip -dc; }

[ -d "$base" ] || mkdir -p -m 0700 -- "$base" 2>/dev/null || fail "cannot make $base; $other"
is_private "$base" || fail "$base must be a directory of uid $uid that nobody else may use; \
run: chown $uid $base && chmod 0700 $base; or $other"
program=$base/program-@PROGRAM_ID@
runtime=$base/runtime-@RUNTIME_ID@
unpack "$runtime" "$name" "$runtime_sha256" 0500 print_runtime
unpack "$program" "$name.js" "$program_sha256" 0400 print_program
[ -x "$runtime/$name" ] || fail "cannot execute in $base (mounted noexec?); $other"

export DENO_DIR="$base/deno" DENO_NO_UPDATE_CHECK=1 DENO_DISABLE_NODE_SHIM=1 DENO_NO_PROMPT=1
exec "$runtime/$name" run @FLAGS@ "$program/$name.js" "$@"
exit 1
