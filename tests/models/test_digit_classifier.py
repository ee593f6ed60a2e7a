"""The classifier of digits: its count and shapes."""

import jax
import jax.numpy as jnp

from artjax.models import digit_classifier


def test_parameter_count_and_shapes():
  model, x = digit_classifier.DigitClassifier(), jnp.zeros([2, 28, 28, 1])
  given = jax.eval_shape(model.init, jax.random.key(0), x)
  assert sum(p.size for p in jax.tree.leaves(given)) == 109_562
  logits, features = jax.eval_shape(model.apply, given, x)
  assert logits.shape == (2, 10)
  assert features.shape == (2, digit_classifier.FEATURES)
