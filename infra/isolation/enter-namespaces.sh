#!/bin/sh
# Runs inside fresh user, mount, host name and network namespaces, and ends as the command it is given:
#   enter-namespaces.sh [host NAME] [hold PATH]... [hide PATH]... [show NUMBER PATH ro|rw]... [user ID] run COMMAND...
# `hold` keeps a folder or file at hand, the first as number 0, and `show` puts it at a path: also after its own path
# was hidden, and at a path that does not exist on this machine.
set -eu

fail() {
  printf 'isolation: %s\n' "$1" >&2
  exit 125
}

# mount would follow /proc/self/fd to a path that something else may cover by now, hence --no-canonicalize.
bind() {
  mount --no-canonicalize --rbind "$1" "$2"
}

# Nobody inside needs the folder of this script: it carries what is held. What is open stays in reach when it is hidden.
open_stage() {
  [ -z "$held" ] || return 0
  { mount -t tmpfs none "${0%/*}" && exec 3<"${0%/*}"; } || fail "nothing can be mounted over ${0%/*}"
  held=/proc/self/fd/3
  count=0
}

hold() {
  open_stage
  if [ -d "$1" ]; then
    mkdir "$held/$count"
  elif [ -e "$1" ]; then
    : >"$held/$count"
  else
    fail "what is to be shown does not exist: $1"
  fi
  bind "$1" "$held/$count" || fail "this could not be held: $1"
  count=$((count + 1))
}

hide() {
  if [ -d "$1" ]; then
    mount -t tmpfs -o mode=0755 none "$1" || fail "the folder could not be hidden: $1"
  fi
}

# Flags that the source's file system was mounted with are locked in a user namespace and must be repeated.
read_only() {
  for flags in '' ,nosuid,nodev ,nosuid,nodev,noexec ,nodev ,nosuid; do
    mount -o "remount,bind,ro$flags" "$1" 2>/dev/null && return 0
  done
  return 1
}

# copy_entries FROM TO: everything that stands in a folder, mounted one by one into an empty one.
copy_entries() {
  for entry in "$1"/* "$1"/.[!.]*; do
    name=${entry##*/}
    if [ -L "$entry" ]; then
      cp -P "$entry" "$2/$name"
    elif [ -d "$entry" ]; then
      mkdir "$2/$name" && bind "$entry" "$2/$name" || return 1
    elif [ -e "$entry" ]; then
      : >"$2/$name" && bind "$entry" "$2/$name" || return 1
    fi
  done
}

# The old root stays until the end: what is held belongs to it, and could not be mounted any more.
replace_root() {
  mkdir "$held/root" && mount --no-canonicalize -t tmpfs -o mode=0755 none "$held/root" || return 1
  copy_entries '' "$held/root" || return 1
  old_root=/.hephaestus-old-root
  mkdir "$held/root$old_root" && cd "$held/root" && pivot_root . ".$old_root" && cd /
}

# Nothing may be made on the disks of this machine: the deepest folder on the way to the path that exists is replaced
# by one in memory with the same entries, and the missing folders are made in that.
make_place() {
  above=${1%/*}
  while [ ! -d "${above:-/}" ]; do above=${above%/*}; done
  if [ -n "$above" ]; then
    exec 4<"$above"
    mount -t tmpfs -o mode=0755 none "$above" || fail "no place could be made for $1"
    copy_entries /proc/self/fd/4 "$above" || fail "the entries of $above could not be kept"
    exec 4<&-
  elif [ -z "$old_root" ]; then
    replace_root || fail "no place could be made for $1"
  fi
  if [ -d "$2" ]; then mkdir -p -- "$1"; else mkdir -p -- "${1%/*}" && : >"$1"; fi
}

# show NUMBER PATH ro|rw
show() {
  [ -e "$2" ] || make_place "$2" "$held/$1"
  bind "$held/$1" "$2" || fail "this could not be shown: $2"
  [ "$3" = rw ] || read_only "$2" || fail "this could not be made read-only: $2"
}

# Some programs fall back to the loopback; a fresh network namespace has it down. Nothing depends on it.
ip link set lo up 2>/dev/null || ifconfig lo up 2>/dev/null || true

folder=$PWD
user_id=
old_root=
held=
while [ "$#" -gt 0 ]; do
  word=$1
  shift
  case $word in
    host)
      hostname "$1" 2>/dev/null || fail "the host name could not be set to $1"
      shift
      ;;
    hold)
      hold "$1"
      shift
      ;;
    hide)
      hide "$1"
      shift
      ;;
    show)
      show "$1" "$2" "$3"
      shift 3
      ;;
    user)
      user_id=$1
      shift
      ;;
    run) break ;;
    *) fail "unknown word: $word" ;;
  esac
done
if [ -n "$old_root" ]; then
  umount -l "$old_root" && rmdir "$old_root" || fail "the old root could not be taken away"
elif [ -n "$held" ]; then
  umount --no-canonicalize -l "$held" || fail "what was held could not be put away"
fi
exec 3<&-

# A working directory that was covered would still be reachable by relative paths.
cd -- "$folder" 2>/dev/null || cd /

if [ -n "$user_id" ]; then
  exec unshare --user "--map-user=$user_id" "--map-group=$user_id" -- "$@"
fi
exec "$@"
