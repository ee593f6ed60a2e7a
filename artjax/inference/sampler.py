"""Samples pictures from a generator whose input is a latent, not a picture.

sampler = Sampler(config, params)
pictures = sampler(latents(seed=0, count=16))
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from artjax import registry
from artjax import tasks
from artjax.interop import safetensors_io
from artjax.tasks import generate

CHUNK = 250  # samples drawn together


class Sampler:
  """Draws pictures with one set of weights.

  Attributes:
    config: its task and model.
    turns: False, as there is no input picture to rotate.
  """

  turns = False

  def __init__(self, config: ml_collections.ConfigDict, params: Any):
    """Takes a configuration (task, model) and the generator's weights."""
    self.config = config
    self._params = params
    self._run = _compiled(registry.model(config), config.task)

  def __call__(self, latents: np.ndarray) -> np.ndarray:
    """Pictures as a file holds them: clipped and rounded.

    Args:
      latents: f32[N, 1, 1, generate.LATENT].

    Returns:
      u8[N, H, W, 3].
    """
    return np.concatenate(
      [
        self._run(self._params, latents[i : i + CHUNK])
        for i in range(0, len(latents), CHUNK)
      ]
    )


@functools.cache
def _compiled(model, name):
  task = tasks.get(name)

  def run(params, latents):
    y = model.apply(safetensors_io.variables(params), latents)
    picture = jnp.clip(task.to_image({}, y), 0, 1)
    return jnp.rint(255 * picture).astype(jnp.uint8)

  return jax.jit(run)


def latents(seed: int, count: int) -> np.ndarray:
  """f32[count, 1, 1, LATENT] of N(0, 1), the same for the same seed."""
  rng = np.random.default_rng(seed)
  return rng.standard_normal([count, 1, 1, generate.LATENT], np.float32)


def walk(start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
  """[steps, ...] from one latent to another, along the arc between them.

  A straight line would leave the shell that normal latents of many dimensions
  lie on: https://arxiv.org/abs/1609.04468.
  """
  cosine = np.sum(start * end) / (np.linalg.norm(start) * np.linalg.norm(end))
  angle = np.arccos(np.clip(cosine, -1, 1))
  t = np.linspace(0, 1, steps).reshape((-1,) + (1,) * start.ndim)
  if np.sin(angle) < 1e-4:
    return ((1 - t) * start + t * end).astype(np.float32)
  both = np.sin((1 - t) * angle) * start + np.sin(t * angle) * end
  return (both / np.sin(angle)).astype(np.float32)
