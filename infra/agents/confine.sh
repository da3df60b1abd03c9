#!/bin/sh
# Runs inside fresh user and mount namespaces, and ends as the command it is given:
#   confine.sh WRITABLE... -- COMMAND...
# Everything but the named folders (and devices) is read-only for it and for all that it starts.
set -eu

fail() {
  printf 'confine: %s\n' "$1" >&2
  exit 125
}

# Flags that the source's file system was mounted with are locked in a user namespace and must be repeated.
read_only() {
  for flags in '' ,nosuid,nodev ,nosuid,nodev,noexec ,nodev ,nosuid ,noexec ,nosuid,noexec ,nodev,noexec; do
    mount -o "remount,bind,ro$flags" "$1" 2>/dev/null && return 0
  done
  return 1
}

mounts=$(cut -d ' ' -f 2 /proc/self/mounts)
writable='
'
while [ "$1" != -- ]; do
  writable="$writable$1
"
  mount --rbind "$1" "$1" || fail "this folder cannot be kept writable: $1"
  shift
done
shift

# A path that comes twice is covered by its later mount, and only that one can be reached.
printf '%s\n' "$mounts" | sort -u | while IFS= read -r escaped; do
  place=$(printf '%b' "$escaped")
  case $place in
    /proc | /proc/* | /dev | /dev/* | /sys | /sys/*) continue ;;
  esac
  case $writable in
    *"
$place
"*) continue ;;
  esac
  [ -e "$place" ] || continue
  read_only "$place" || fail "this cannot be made read-only: $place"
done || exit 125

# The folder that it stands in may be one of those that are mounted anew.
cd "$(pwd)" || fail 'the working folder cannot be entered'
exec "$@"
