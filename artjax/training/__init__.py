"""The training loop, its steps, optimizers, checkpoints and devices."""
