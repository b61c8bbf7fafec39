#!/bin/sh
# without.sh "NAME..." COMMAND ARGUMENT...: runs COMMAND as on a host without the programs NAME: its
# PATH is a directory of links to everything else on the PATH.
set -eu
hidden=$1
shift
links=$(mktemp -d)
chmod 0755 "$links" # for commands that give up their privileges
trap 'rm -rf -- "$links"' EXIT
trap 'exit 1' HUP INT TERM
old_ifs=$IFS
IFS=:
for directory in $PATH; do
  # ln says no to what an earlier directory has, and that is what a shell would find.
  ln -s -- "$directory"/* "$links" 2>/dev/null || :
done
IFS=$old_ifs
for name in $hidden; do rm -f -- "$links/$name"; done
PATH=$links "$@"
