"""Fingerprints of a checkpoint's tensors, stored with them.

Without them, a file whose bytes were changed on disk, or on the way to it,
would mostly load without an error, as other weights.
"""

import hashlib
from typing import Any

import jax
import numpy as np


def of(tree: Any) -> dict[str, str]:
  """{path of a tensor: fingerprint of its shape, type and bytes}."""
  leaves = jax.tree_util.tree_leaves_with_path(jax.device_get(tree))
  return {
    jax.tree_util.keystr(path, simple=True, separator='/'): _one(leaf)
    for path, leaf in leaves
  }


def check(tree: Any, known: dict[str, str]) -> None:
  """Compares tensors with their fingerprints, which may include others.

  Raises:
    ValueError: one differs; the message names it.
  """
  for path, found in of(tree).items():
    if found != known.get(path):
      raise ValueError(f'{path} is not what was saved')


def _one(leaf):
  array = np.ascontiguousarray(leaf)
  digest = hashlib.sha256(f'{np.shape(leaf)} {array.dtype} '.encode())
  digest.update(array.view(np.uint8).data if array.ndim else array.tobytes())
  return digest.hexdigest()[:16]
