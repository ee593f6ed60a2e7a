"""A trained generator as a function: picture in, picture out."""
import functools
import os

import jax
import numpy as np

from artjax import checkpoint
from artjax import lookup
from artjax import tasks
from artjax import weights
from artjax.data import resize

# Pictures are padded up to a multiple of this, so that a folder of pictures of
# all sizes compiles a handful of shapes and not one a picture, px.
BUCKET = 128
# Side of the square thumbnail that shows a model the whole picture's colours,
# as the op `thumbnail` does in training, px.
CONTEXT = 64


@functools.cache
def _compiled(model, task):
  def run(params, picture, context):
    x = task.inputs({'image': picture}, None)
    y = model.apply({'params': params}, x,
                    context=task.inputs({'image': context}, None))
    return task.picture({'image': picture}, y)
  return jax.jit(run)


def load(where, step=None):
  """(config, generator weights) of a workdir or a .safetensors file.

  Raises:
    FileNotFoundError: there is no such workdir, checkpoint or file.
    ValueError: the file is damaged.
  """
  if os.path.isdir(where):
    return checkpoint.load_generator(where, step)[:2]
  return weights.load(where)[:2]


class Restorer:
  """Restores whole pictures with one set of weights.

  `restorer(u8[H, W, 3]) -> u8[H, W, 3]`, RGB, any size.
  """

  def __init__(self, config, params):
    """Of a configuration (task, model) and the generator's weights."""
    self.config = config
    self.params = params
    self._run = _compiled(lookup.model(config), tasks.get(config.task))

  @classmethod
  def load(cls, where, step=None):
    """Of a working directory (best checkpoint, or `step`) or a weights file.

    Raises:
      FileNotFoundError: there is no such workdir, checkpoint or file.
      ValueError: the file is damaged or its weights do not fit its model.
    """
    config, params = load(where, step)
    model = lookup.model(config)
    channels = tasks.get(config.task).channels
    expected = jax.eval_shape(
        model.init, jax.random.key(0),
        jax.ShapeDtypeStruct([1, 64, 64, channels], np.float32))
    weights.check(params, expected['params'], where)
    return cls(config, params)

  def __call__(self, picture):
    """The restored picture, u8[H, W, 3] for u8[H, W, 3]."""
    h, w = picture.shape[:2]
    pad = [(0, -h % BUCKET), (0, -w % BUCKET), (0, 0)]
    padded = np.pad(picture, pad, 'symmetric')
    # What the padding repeats must not count in the picture's statistics.
    context = resize.thumbnail(picture, CONTEXT)
    y = self._run(self.params, padded[None], context[None])
    y = np.asarray(y)[0, :h, :w]
    return np.rint(np.clip(y, 0, 1) * 255).astype(np.uint8)
