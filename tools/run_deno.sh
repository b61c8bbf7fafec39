#!/bin/sh
# Runs deno without its update check, fetching it first when there is none.
set -eu
deno=$("$(dirname -- "$0")/get_deno.sh")
export DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
exec "$deno" "$@"
