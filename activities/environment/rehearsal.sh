#!/bin/sh
# Runs a command inside its isolation, tells it to end when the time is up, and records how it went:
#   rehearsal.sh SECONDS FOLDER COUNT COMMAND...
# With COUNT `yes` the kernel's counters of this network are kept: no process, in whatever language, can try to reach
# out without moving them. The limit stands here, so that it also holds when whoever waits for the command is gone.
seconds=$1
folder=$2
count=$3
shift 3

"$@" &
child=$!
trap 'kill -s TERM "$child" 2>/dev/null' TERM INT HUP
(
  trap 'kill "$nap" 2>/dev/null; exit 0' TERM
  sleep "$seconds" &
  nap=$!
  wait "$nap"
  : >"$folder/time-is-up"
  kill -s TERM "$child"
) >/dev/null 2>&1 &
timer=$!

wait "$child"
code=$?
while kill -s 0 "$child" 2>/dev/null; do
  wait "$child"
  code=$?
done
kill "$timer" 2>/dev/null
if [ "$count" = yes ]; then cat /proc/net/snmp /proc/net/snmp6 >"$folder/counters" 2>/dev/null; fi
printf '%s\n' "$code" >"$folder/code"
exit "$code"
