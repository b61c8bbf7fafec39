#!/bin/sh
# Runs deno, getting it first when there is none, without its update check.
set -eu
deno=$("$(dirname -- "$0")/get_deno.sh")
export DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
exec "$deno" "$@"
