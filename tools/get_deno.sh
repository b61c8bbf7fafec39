#!/bin/sh
# Prints the path of a usable deno: the one on the PATH when it is new enough, else the pinned one
# of tools/deno, fetched from npm if necessary. `get_deno.sh oldest` prints the oldest supported
# one, always from npm. Says in one line what is missing when there is none.
set -eu
oldest_major=2 oldest_minor=7
asked=${1:-}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

fail() {
  printf 'aggvpn: %s\n' "$1" >&2
  exit 1
}

# Whether "$1" is a deno that runs here and is new enough.
usable() {
  [ -x "$1" ] || return 1
  version=$("$1" --version 2>/dev/null | sed -n 's/^deno \([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
  [ -n "$version" ] || return 1
  major=${version% *} minor=${version#* }
  [ "$major" -gt "$oldest_major" ] ||
    { [ "$major" -eq "$oldest_major" ] && [ "$minor" -ge "$oldest_minor" ]; }
}

on_path=$(command -v deno || :)
if [ "$asked" != oldest ] && [ -n "$on_path" ] && usable "$on_path"; then
  printf '%s\n' "$on_path"
  exit 0
fi

wanted="deno >= $oldest_major.$oldest_minor on the PATH (https://deno.com)"
case ${asked:+$asked-}$(uname -s)-$(uname -m) in
Linux-x86_64) project=$here/deno package=linux-x64-glibc ;;
Linux-aarch64) project=$here/deno/arm64 package=linux-arm64-glibc ;;
oldest-Linux-x86_64) project=$here/deno/oldest package=linux-x64-glibc ;;
oldest-*) fail "npm has the oldest deno that has to do for Linux on x86_64 only" ;;
OpenBSD-*) fail "deno is missing or too old; try: pkg_add deno; needs $wanted" ;;
*) fail "npm has no deno for $(uname -s) on $(uname -m); put $wanted" ;;
esac

fetched=$project/node_modules/@deno/$package/deno
if ! usable "$fetched"; then
  command -v npm >/dev/null 2>&1 ||
    fail "npm is missing; install it (Debian: apt-get install npm), or put $wanted"
  printf 'aggvpn: getting deno from npm into %s\n' "$project" >&2
  output=$(npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --prefix "$project" 2>&1) || {
    printf '%s\n' "$output" >&2
    fail "npm could not get deno; is its registry reachable? Or put $wanted"
  }
  usable "$fetched" || fail "the deno of npm does not run here (is this glibc?); put $wanted"
fi
printf '%s\n' "$fetched"
