#!/bin/sh
":" /*
# @NAME@ @VERSION@, one file for hosts that have deno. To JavaScript this part is a comment, and
# the shell never gets beyond it. OpenBSD's env(1) has no -S that could give an interpreter
# arguments.
fail() {
  printf '%s: %s\n' "@NAME@" "$1" >&2
  exit 1
}
wanted="needs deno @MAJOR@.@MINOR@ or later (OpenBSD: pkg_add deno; elsewhere: https://deno.com)"
path=$(command -v deno) || fail "deno is not on the PATH; $wanted"
version=$("$path" --version) || fail "$path does not run; $wanted"
version=${version#deno } # such as 2.7.14 (stable, release, x86_64-unknown-openbsd)
major=${version%%.*}
minor=${version#*.}
minor=${minor%%.*}
case $major-$minor in
*[!0-9-]* | -* | *-) fail "$path does not say its version; $wanted" ;;
esac
[ "$major" -gt @MAJOR@ ] || { [ "$major" -eq @MAJOR@ ] && [ "$minor" -ge @MINOR@ ]; } ||
  fail "deno $major.$minor is too old; $wanted"
export DENO_NO_UPDATE_CHECK=1 DENO_DISABLE_NODE_SHIM=1 DENO_NO_PROMPT=1
# The version is told without a line of JavaScript. On arm64 the kernel ends programs that lack
# landing instructions where the CPU has BTI, and nobody knows whether V8 does.
if [ "$(uname -sm 2>/dev/null)" = "OpenBSD arm64" ]; then
  "$path" eval 0 || fail "$path cannot run JavaScript on this CPU (status $?; 132 is SIGILL: BTI)"
fi
# By its path, for OpenBSD tells a program only the name that it was started by.
exec "$path" run @FLAGS@ "$0" "$@"
*/;
