#!/bin/sh
# Runs inside fresh user, mount, host name and network namespaces, and ends as the command it is given:
#   enter-namespaces.sh HOST_NAME USER_ID HIDE_COUNT HIDE... SHOW_COUNT SHOW... COMMAND...
# HOST_NAME and USER_ID may be empty. Folders to show stay visible, read-only, even inside a hidden folder.
set -eu

fail() {
  printf 'isolation: %s\n' "$1" >&2
  exit 125
}

host_name=$1
user_id=$2
shift 2

# Some programs fall back to the loopback; a fresh network namespace has it down. Nothing depends on it.
ip link set lo up 2>/dev/null || ifconfig lo up 2>/dev/null || true

if [ -n "$host_name" ]; then
  hostname "$host_name" 2>/dev/null || fail "the host name could not be set to $host_name"
fi

# The first list is walked twice, because what is to be shown has to be held open before anything is hidden.
hide_count=$1
shift
i=0
while [ "$i" -lt "$hide_count" ]; do
  set -- "$@" "$1"
  shift
  i=$((i + 1))
done
# The lists are now: SHOW_COUNT SHOW... COMMAND... HIDE...; COMMAND ends where HIDE begins.
show_count=$1
shift
[ "$show_count" -le 7 ] || fail "$show_count folders to show; at most 7 are possible"
i=0
while [ "$i" -lt "$show_count" ]; do
  [ -d "$1" ] || fail "the folder to show does not exist: $1"
  # A folder that is held open can be mounted from its descriptor after its path is covered.
  case $i in
    0) exec 3<"$1" ;;
    1) exec 4<"$1" ;;
    2) exec 5<"$1" ;;
    3) exec 6<"$1" ;;
    4) exec 7<"$1" ;;
    5) exec 8<"$1" ;;
    6) exec 9<"$1" ;;
  esac
  set -- "$@" "$1"
  shift
  i=$((i + 1))
done

# Now: COMMAND... HIDE... SHOW...
command_count=$(($# - hide_count - show_count))
i=0
while [ "$i" -lt "$command_count" ]; do
  set -- "$@" "$1"
  shift
  i=$((i + 1))
done

# Now: HIDE... SHOW... COMMAND...
i=0
while [ "$i" -lt "$hide_count" ]; do
  if [ -d "$1" ]; then
    mount -t tmpfs -o mode=0755 none "$1" || fail "the folder could not be hidden: $1"
  fi
  shift
  i=$((i + 1))
done

# Flags that the source's file system was mounted with are locked in a user namespace and must be repeated.
read_only() {
  for flags in '' ,nosuid,nodev ,nosuid,nodev,noexec ,nodev ,nosuid; do
    mount -o "remount,bind,ro$flags" "$1" 2>/dev/null && return 0
  done
  return 1
}

i=0
while [ "$i" -lt "$show_count" ]; do
  mkdir -p -- "$1"
  mount --no-canonicalize --rbind "/proc/self/fd/$((i + 3))" "$1" || fail "the folder could not be shown: $1"
  read_only "$1" || fail "the folder could not be made read-only: $1"
  shift
  i=$((i + 1))
done
exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-

# A working directory that was covered would still be reachable by relative paths.
cd -- "$PWD" 2>/dev/null || cd /

if [ -n "$user_id" ]; then
  exec unshare --user "--map-user=$user_id" "--map-group=$user_id" -- "$@"
fi
exec "$@"
