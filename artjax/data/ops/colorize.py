"""Examples for colorizing: grey pictures, and hints of their colours.

    copy("image", "target")|luma|reveal

'hints' of an example are u8[H, W, 4]: RGB, and alpha 255 where a colour is
given; all four are 0 elsewhere.
"""

import numpy as np

from artjax import colour
from artjax.data.degradations import decorators
from artjax.data.examples import Op
from artjax.data.examples import op

_SHORTEST, _LONGEST = 0.02, 0.10  # side of a hint, of the picture's short side


@op
def luma() -> Op:
  """Makes 'image' grey, with the same lightness (L of CIE Lab)."""

  def fn(example, rng):
    del rng
    lab = colour.srgb_to_lab(decorators.as_float(example['image']))
    lab[..., 1:] = 0
    return {**example, 'image': decorators.clip(colour.lab_to_srgb(lab))}

  return fn


@op
def reveal(most: int = 10, fewest: int = 0, none: float = 0.5) -> Op:
  """Writes the mean colours of random patches of 'target' to 'hints'.

  Patches are flat, like the strokes of a user: rectangles with sides of 2 to 10
  % of the short side. The method is that of https://arxiv.org/abs/1705.02999.

  Args:
    most: maximum number of patches.
    fewest: minimum number of patches in examples that have any.
    none: share of examples without patches, in [0, 1].
  """
  if not 0 <= fewest <= most or most < 1:
    raise ValueError(
      f'0 <= fewest <= most and most >= 1 must hold, got '
      f'fewest={fewest}, most={most}'
    )
  if not 0 <= none <= 1:
    raise ValueError(f'none must be in [0, 1], got {none}')

  def fn(example, rng):
    target = example['target']
    if target.dtype != np.uint8:
      raise ValueError(
        "'target' must be u8: reveal comes before what changes it"
      )
    height, width = target.shape[:2]
    hints = np.zeros([height, width, 4], np.uint8)
    count = 0 if rng.random() < none else int(rng.integers(fewest, most + 1))
    for _ in range(count):
      sides = min(height, width) * rng.uniform(_SHORTEST, _LONGEST, 2)
      h, w = (max(1, int(round(side))) for side in sides)
      top = int(rng.integers(height - h + 1))
      left = int(rng.integers(width - w + 1))
      patch = np.s_[top : top + h, left : left + w]
      hints[patch][..., :3] = np.rint(target[patch].mean((0, 1)))
      hints[patch][..., 3] = 255
    return {**example, 'hints': hints}

  return fn
