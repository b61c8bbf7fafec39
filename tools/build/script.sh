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
version=$(deno --version) || fail "$path does not run; $wanted"
version=${version#deno } # such as 2.8.3 (stable, release, x86_64-unknown-openbsd)
major=${version%%.*}
minor=${version#*.}
minor=${minor%%.*}
case $major-$minor in
*[!0-9-]* | -* | *-) fail "$path does not say its version; $wanted" ;;
esac
[ "$major" -gt @MAJOR@ ] || { [ "$major" -eq @MAJOR@ ] && [ "$minor" -ge @MINOR@ ]; } ||
  fail "deno $major.$minor is too old; $wanted"
export DENO_NO_UPDATE_CHECK=1 DENO_DISABLE_NODE_SHIM=1 DENO_NO_PROMPT=1
exec deno run @FLAGS@ "$0" "$@"
*/;
