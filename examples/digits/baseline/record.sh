#!/bin/sh
# Records the baseline runs anew: sh baseline/record.sh [python] from the folder of train.py.
# The settings keep the names and paths of the recording machine out of the logs.
set -eu

python=${1:-.venv/bin/python}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
recording=$(mktemp -d)
trap 'rm -rf "$recording"' EXIT

export WANDB_MODE=offline WANDB_PROJECT=digits WANDB_RUN_GROUP=first-baseline
export WANDB_TAGS=hephaestus,experiment:first-baseline
export WANDB_HOST=baseline WANDB_CONSOLE=off WANDB_SILENT=true
export WANDB_DISABLE_CODE=true WANDB_DISABLE_GIT=true WANDB_X_SAVE_REQUIREMENTS=false
export WANDB_X_DISABLE_META=true WANDB_X_DISABLE_STATS=true WANDB_X_DISABLE_MACHINE_INFO=true
export WANDB_DIR="$recording"

for seed in 0 1 2; do
    WANDB_RUN_ID="digits-baseline-s$seed" WANDB_NAME="baseline, seed $seed" \
        "$python" train.py --config configs/baseline.json --seed "$seed"
done

rm -rf "$here"/offline-run-*
for run in "$recording"/wandb/offline-run-*; do
    mkdir "$here/${run##*/}"
    cp "$run"/run-*.wandb "$here/${run##*/}/"
done
