"""A chain as a function of pictures in memory, as the command line runs it."""

import os
import tempfile

import cv2
import numpy as np

from artjax import atomic_files
from artjax.restoration import restore_file
from artjax.restoration.chain import Chain
from artjax.restoration.options import Options


class Whole:
  """Restores a picture with a chain of weights, as a file would be.

  It uses files, so that evaluation measures what a user gets.

  Attributes:
    turns: False, as it sees a picture once and upright.
  """

  turns = False

  def __init__(self, chain: Chain, options: Options = Options()) -> None:
    self._chain, self._options = chain, options
    chain.check(options)

  def __call__(self, picture: np.ndarray) -> np.ndarray:
    """u8[H, W, 3], RGB -> the same, times the chain's scale."""
    with tempfile.TemporaryDirectory(prefix='artjax_') as folder:
      source, result = (os.path.join(folder, n) for n in ('in.png', 'out.png'))
      atomic_files.write_picture(source, picture)
      restore_file.restore_file(
        source, self._chain, restore_file.Outputs(result), self._options
      )
      return np.asarray(cv2.imread(result, cv2.IMREAD_COLOR_RGB))


def load(weights: str) -> tuple[str, list[Whole]]:
  """(names of the networks, [the chain as a restorer]).

  Raises:
    FileNotFoundError: there are no such weights.
    ValueError: they are damaged, or do not turn a picture into a picture.
  """
  chain = Chain(weights)
  if not chain.makes_picture:
    raise ValueError(f'{weights} makes no picture: name one network of it')
  models = [stage.restorer.config.model.name for stage in chain.stages]
  return ', '.join(models), [Whole(chain)]
