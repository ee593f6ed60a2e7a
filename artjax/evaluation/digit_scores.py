"""Scores of generated digits, from a classifier of real ones.

  classifier = digit_scores.train(pictures, labels)
  figures = digit_scores.measure(digit_scores.look(classifier, samples),
                                 digit_scores.look(classifier, real))

The classifier is trained on the digits that the generator was trained on. This
takes seconds on a CPU, and gives the same classifier for the same digits and
seed.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from artjax.models import digit_classifier

CONFIDENT = 0.9  # the least probability of a class at which a digit is clear
_BATCH, _EPOCHS, _RATE = 128, 3, 2e-3
_CHUNK = 500  # digits looked at together


class Seen(NamedTuple):
  """What the classifier sees in a set of digits."""

  probabilities: np.ndarray  # f32[N, 10]
  features: np.ndarray  # f32[N, 64]


def train(pictures: np.ndarray, labels: np.ndarray, seed: int = 0) -> Any:
  """The classifier's weights.

  Args:
    pictures: u8[N, 28, 28], at least one.
    labels: u8[N], 0 to 9.
    seed: for its initial weights and the order of the digits.
  """
  module = digit_classifier.DigitClassifier()
  size = min(_BATCH, len(pictures))
  per_epoch = len(pictures) // size
  optimizer = optax.adam(
    optax.cosine_decay_schedule(_RATE, _EPOCHS * per_epoch)
  )

  @jax.jit
  def step(params, state, x, y):
    def loss(params):
      logits, _ = module.apply(params, _unit(x))
      return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    updates, state = optimizer.update(jax.grad(loss)(params), state)
    return optax.apply_updates(params, updates), state

  params = jax.jit(module.init)(jax.random.key(seed), _unit(pictures[:1]))
  state = optimizer.init(params)
  rng = np.random.default_rng(seed)
  for _ in range(_EPOCHS):
    order = rng.permutation(len(pictures))
    for i in range(per_epoch):
      chosen = order[i * size : (i + 1) * size]
      params, state = step(
        params, state, pictures[chosen], labels[chosen].astype(np.int32)
      )
  return params


def look(params: Any, pictures: np.ndarray) -> Seen:
  """What the classifier sees in u8[N, 28, 28]."""
  found = [
    _look(params, pictures[i : i + _CHUNK])
    for i in range(0, len(pictures), _CHUNK)
  ]
  return Seen(*(np.concatenate(part) for part in zip(*found)))


@jax.jit
def _look(params, pictures):
  logits, features = digit_classifier.DigitClassifier().apply(
    params, _unit(pictures)
  )
  return jax.nn.softmax(logits), features


def _unit(pictures):
  return jnp.float32(pictures)[..., None] / 255


def measure(seen: Seen, real: Seen) -> dict[str, float]:
  """{metric: number} of a set of digits.

  confident: share of digits whose most likely class has a probability of at
    least 0.9.
  entropy: of the frequencies of the most likely classes, in nats; 2.3026 = all
    equally frequent.
  frechet: distance to the set `real`, see `frechet`.
  """
  classes = seen.probabilities.argmax(1)
  share = np.bincount(classes, minlength=10) / len(classes)
  share = share[share > 0]
  return {
    'confident': float(np.mean(seen.probabilities.max(1) >= CONFIDENT)),
    'entropy': float(-np.sum(share * np.log(share))) + 0.0,
    'frechet': frechet(seen.features, real.features),
  }


def frechet(a: np.ndarray, b: np.ndarray, ddof: int = 0) -> float:
  """Squared Frechet distance of two sets of features, f32[N, C], f32[M, C].

  It compares normal distributions with their means and covariances, as in the
  FID (https://arxiv.org/abs/1706.08500), but uses other features. So figures
  are comparable only with those of the same classifier. `ddof` is numpy's, for
  the covariances.
  """
  a, b = a.astype(np.float64), b.astype(np.float64)
  cov_a, cov_b = (np.cov(x, rowvar=False, ddof=ddof) for x in (a, b))
  # The product of two covariances has real eigenvalues >= 0, up to rounding.
  roots = np.sqrt(np.maximum(np.linalg.eigvals(cov_a @ cov_b).real, 0))
  distance = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(cov_a + cov_b)
  return float(max(distance - 2 * roots.sum(), 0))
