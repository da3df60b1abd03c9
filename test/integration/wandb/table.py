"""Logs a table offline: W&B keeps it as an artifact, whose content lies outside of the run's folder."""

import wandb

run = wandb.init(mode="offline", project="p", id="with-table")
run.log({"loss": 1.0, "answers": wandb.Table(columns=["question", "answer"], data=[["six by seven", 42]])})
run.log({"loss": 0.5, "picture": wandb.Html("<b>seen</b>")})
run.finish()
