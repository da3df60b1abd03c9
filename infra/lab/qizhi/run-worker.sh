#!/bin/sh
# Runs one worker of a job and writes down how it ended, so that whoever started it may be gone meanwhile:
#   run-worker.sh FOLDER COMMAND...
folder=$1
shift
# The platform's signals are for the command.
trap '' TERM INT HUP
(
  trap - TERM INT HUP
  exec "$@"
) </dev/null >>"$folder/output.log" 2>&1 &
child=$!
printf '%s\n' "$child" >"$folder/pid.tmp" && mv "$folder/pid.tmp" "$folder/pid"
wait "$child"
printf '%s\n' "$?" >"$folder/code.tmp" && mv "$folder/code.tmp" "$folder/code"
