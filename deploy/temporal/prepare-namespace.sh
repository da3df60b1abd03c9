#!/bin/sh
# Makes the namespace with its retention, or sets the retention of the one that is there. May run again at any time.
set -eu
if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
  exec temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
fi
exec temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"
