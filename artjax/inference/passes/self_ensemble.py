"""Self-ensemble: the mean result over flips and rotations of a picture.

A network is not invariant to these: the mean is better than one result, and
where the results disagree the network is uncertain
(https://arxiv.org/abs/1511.02228).
"""

from collections.abc import Callable, Sequence
import functools

import numpy as np

# (flip, number of rotations by 90 degrees). A model with `views` = n gets the
# first n.
VIEWS = tuple((flip, turns) for flip in (False, True) for turns in range(4))


def over(
  views: Sequence[tuple[bool, int]], on_view: Callable[[], None] = lambda: None
) -> Callable[..., np.ndarray]:
  """ensemble(run, tiles, context): `run(tiles, context)` over some `VIEWS`.

  `on_view` is called before each of several views, and may end the run by
  raising. For several views the result is f32[B, H, W, 4 or 5]: mean, standard
  deviation averaged over the channels, and the mean of a fourth channel if
  there is one. For one view it is the result of `run`.
  """
  if len(views) == 1:
    return lambda run, tiles, context: run(tiles, context)
  return functools.partial(_mean, views=views, on_view=on_view)


def _mean(run, tiles, context, *, views, on_view):
  total = squares = 0.0
  for flip, turns in views:
    on_view()
    y = run(_turned(tiles, flip, turns), _turned(context, flip, turns))
    y = np.rot90(y, -turns, (1, 2))[:, :, :: -1 if flip else 1]
    y = y.astype(np.float64)
    total, squares = total + y, squares + y * y
  mean = total / len(views)
  spread = np.sqrt(np.maximum(squares / len(views) - mean**2, 0))
  spread = spread[..., :3].mean(-1, keepdims=True)
  parts = [mean[..., :3], spread, mean[..., 3:]]
  return np.concatenate(parts, -1).astype(np.float32)


def _turned(x, flip, turns):
  """[B, H, W, C], flipped and then rotated."""
  x = np.rot90(x[:, :, ::-1] if flip else x, turns, (1, 2))
  return np.ascontiguousarray(x)
