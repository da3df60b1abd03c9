"""A training script in a few lines; what it does wrong is asked for by its first argument, as JSON."""

import json
import math
import os
import sys

import wandb

wish = json.loads(sys.argv[1])
run = wandb.init(config={"lr": 0.1, "seed": wish.get("seed", 0)}, **wish.get("init", {}))
if "summary" in wish:
    wandb.define_metric("val/loss", summary=wish["summary"])
for step in range(wish.get("steps", 12)):
    loss = math.nan if step in wish.get("nan", []) else math.exp(-step / 10)
    wandb.log({"val/loss": loss, "note": "x" * wish.get("bytes", 0)})
    print("step", step)
if "kill" in wish:
    # The process ends without telling W&B, as under a scheduler's SIGKILL.
    os._exit(9)
sys.exit(wish.get("exit", 0))
