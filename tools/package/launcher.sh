#!/bin/sh
# @NAME@ @VERSION@: the runtime beside the program runs it. Nothing is unpacked and nothing fetched.
export DENO_DIR=/dev/null DENO_NO_UPDATE_CHECK=1 DENO_DISABLE_NODE_SHIM=1 DENO_NO_PROMPT=1
exec /usr/lib/@NAME@/@NAME@ run @FLAGS@ /usr/lib/@NAME@/@NAME@.js "$@"
