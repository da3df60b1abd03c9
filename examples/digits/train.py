"""Train a two-layer network on scikit-learn's handwritten digits.

Where the run is recorded is not decided here: W&B reads its mode, project, group, run id and folder from the
environment (WANDB_MODE, WANDB_PROJECT, WANDB_RUN_GROUP, WANDB_RUN_ID, WANDB_DIR).
"""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

# One thread: the matrices are small, and the sums then come out the same on every machine.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np
import wandb
from sklearn.datasets import load_digits

SPLIT_SEED = 7  # The split is the same in every run: seeds differ in initialisation and order alone.
VALIDATION = 360


def load_data():
    """Pixels scaled to 0..1, split into training and validation."""
    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(labels))
    pixels, labels = pixels[order] / 16.0, labels[order]
    training = pixels[VALIDATION:], labels[VALIDATION:]
    validation = pixels[:VALIDATION], labels[:VALIDATION]
    return training, validation


def initialise(rng, inputs, hidden, outputs):
    """Weights scaled to the number of inputs (He et al., 2015), biases zero."""
    return {
        "w1": rng.normal(0.0, np.sqrt(2.0 / inputs), (inputs, hidden)),
        "b1": np.zeros(hidden),
        "w2": rng.normal(0.0, np.sqrt(2.0 / hidden), (hidden, outputs)),
        "b2": np.zeros(outputs),
    }


def forward(weights, pixels):
    """Activations of the hidden layer and log-probabilities of the ten digits."""
    hidden = np.maximum(pixels @ weights["w1"] + weights["b1"], 0.0)
    scores = hidden @ weights["w2"] + weights["b2"]
    scores = scores - scores.max(axis=1, keepdims=True)
    return hidden, scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def gradients(weights, pixels, labels):
    """Mean cross-entropy of a batch and its gradients."""
    hidden, log_probabilities = forward(weights, pixels)
    rows = np.arange(len(labels))
    loss = -log_probabilities[rows, labels].mean()
    error = np.exp(log_probabilities)
    error[rows, labels] -= 1.0
    error /= len(labels)
    back = (error @ weights["w2"].T) * (hidden > 0.0)
    slopes = {
        "w1": pixels.T @ back,
        "b1": back.sum(axis=0),
        "w2": hidden.T @ error,
        "b2": error.sum(axis=0),
    }
    return loss, slopes


def learning_rate(config, step, steps):
    """The rate for one step out of all steps."""
    return config["learning_rate"]


def train_epoch(weights, data, config, rng, first_step, steps):
    """One pass over the training data in a new order; returns the mean loss and the last rate."""
    pixels, labels = data
    order = rng.permutation(len(labels))
    losses = []
    rate = 0.0
    for number, start in enumerate(range(0, len(order), config["batch_size"])):
        batch = order[start : start + config["batch_size"]]
        loss, slopes = gradients(weights, pixels[batch], labels[batch])
        rate = learning_rate(config, first_step + number, steps)
        for name, slope in slopes.items():
            weights[name] -= rate * slope
        losses.append(loss)
    return float(np.mean(losses)), rate


def validate(weights, data):
    """Mean cross-entropy and accuracy."""
    pixels, labels = data
    _, log_probabilities = forward(weights, pixels)
    loss = -log_probabilities[np.arange(len(labels)), labels].mean()
    accuracy = (log_probabilities.argmax(axis=1) == labels).mean()
    return float(loss), float(accuracy)


def train(config, seed, run):
    """The whole training; one row of history for each epoch."""
    training, validation = load_data()
    rng = np.random.default_rng(seed)
    weights = initialise(rng, training[0].shape[1], config["hidden"], 10)
    steps_per_epoch = -(-len(training[1]) // config["batch_size"])
    steps = config["epochs"] * steps_per_epoch
    for epoch in range(config["epochs"]):
        began = time.monotonic()
        first_step = epoch * steps_per_epoch
        train_loss, rate = train_epoch(weights, training, config, rng, first_step, steps)
        val_loss, val_accuracy = validate(weights, validation)
        run.log(
            {
                "epoch": epoch,
                "train/loss": train_loss,
                "val/loss": val_loss,
                "val/accuracy": val_accuracy,
                "lr": rate,
            }
        )
        # A data set of a real size takes its time: with this there is something to watch.
        time.sleep(max(0.0, config.get("epoch_seconds", 0.0) - (time.monotonic() - began)))
        if epoch % 10 == 9 or epoch == config["epochs"] - 1:
            print(f"epoch {epoch + 1}: val/loss {val_loss:.4f}, val/accuracy {val_accuracy:.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, default=Path("configs/baseline.json"))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("HEPHAESTUS_SEED", "0")))
    arguments = parser.parse_args()
    config = json.loads(arguments.config.read_text())
    if os.environ.get("HEPHAESTUS_REHEARSAL") == "1":
        config["epochs"] = 2
    # Leaving by an exception lets W&B write the end of the run before the process goes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with wandb.init(config={**config, "seed": arguments.seed}) as run:
        train(config, arguments.seed, run)


if __name__ == "__main__":
    main()
