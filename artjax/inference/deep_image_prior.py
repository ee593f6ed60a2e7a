"""Deep Image Prior: restores one picture without training on any other.

https://arxiv.org/abs/1711.10925. A randomly initialized network is fitted to
the damaged picture alone. It fits coherent structure long before it fits noise,
and continues structure into holes:

  inpaint   fits the known pixels; holes are filled by the network, which starts
            from a blurred copy of the picture with its holes filled smoothly
  denoise   fits all pixels, and is stopped before it fits the noise
  x4        fits the picture with its output shrunk by 4: the output is the
            enlarged picture

The result is the average of the outputs along the way. `denoise` stops where
the outputs change least (https://arxiv.org/abs/2112.06074), since after that
they fit the noise. A fit takes hundreds of steps: it needs a GPU, a small
picture or time.
"""

from collections.abc import Callable, Iterable, Mapping
import functools
from typing import Any, NamedTuple

from absl import logging
import jax
import jax.numpy as jnp
import ml_collections
import numpy as np

from artjax import resampling
from artjax.inference import base
from artjax.inference.prior import area
from artjax.inference.prior import fit
from artjax.models import skip


class _Aim(NamedTuple):
  """The differences between tasks."""

  fills: bool = False  # a mask says what is missing
  early: bool = False  # ends before the noise is fitted: keeps the best average
  scale: int = 1  # of the result


_AIMS = {
  'inpaint': _Aim(fills=True),
  'denoise': _Aim(early=True),
  'x4': _Aim(scale=4),
}
TASKS = tuple(_AIMS)
OPTIMIZERS = fit.OPTIMIZERS
INPUT_CHANNELS = 32  # of the noise that the network turns into the picture
_INPUT_RANGE = 0.1
_RESTARTS = 3  # from the last good state, each with half the learning rate


class DivergedError(RuntimeError):
  """The loss repeatedly stopped being finite."""


class Report(NamedTuple):
  """The progress of a run."""

  step: int
  loss: float  # mean squared error of the fit, averaged over the last steps
  picture: Callable[[], np.ndarray]  # makes the result as it would be now


class Result(NamedTuple):
  """The result of a run."""

  picture: np.ndarray  # f32[H * scale, W * scale, C] in [0, 1]
  steps: int  # taken
  stopped_by: str  # 'steps' | 'early_stop' | 'interrupted'
  loss: float  # as in Report
  restarts: int  # after a loss that was not finite


class Restorer:
  """Fills holes of pictures; see `base.Restorer`."""

  scale, fills, finds, turns = 1, True, False, False
  view = 1  # a copy of the whole is not needed

  def __init__(self, **settings: Any) -> None:
    """Takes arguments of `restore`."""
    self.params: dict[str, Any] = {}
    self._settings = {'steps': 3000, 'report_every': 20} | settings
    self.config = ml_collections.ConfigDict(
      {
        'task': 'inpaint',
        'model': {'name': 'skip.SkipNet', 'args': {}},
        **self._settings,
      }
    )

  def tiles(self, height: int, width: int, tile: int = 0) -> int:
    """How often progress is reported."""
    del height, width, tile
    return -(-self._settings['steps'] // self._settings['report_every'])

  def strips(
    self,
    read: base.Read,
    height: int,
    width: int,
    whole: np.ndarray,
    *,
    hole: np.ndarray,
    on_tiles: Callable[[int], None] = lambda done: None,
    **unused: Any,
  ) -> base.Strips:
    """The picture in one strip, see `base.Restorer.strips`."""
    del whole, unused
    picture = read(0, 0, height, width)
    if hole.any():
      picture = restore(
        picture, mask=hole, **self._settings, on_report=lambda _: on_tiles(1)
      ).picture
    yield 0, picture


def restore(
  picture: np.ndarray,
  *,
  task: str = 'inpaint',
  mask: np.ndarray | None = None,
  seed: int = 0,
  steps: int = 3000,
  optimizer: str = 'muon',
  learning_rate: float = 0.015,
  smooth: float = 12.0,
  perturbation: float = 0.03,
  decay: float = 0.99,
  window: int = 100,
  patience: int = 1000,
  report_every: int = 20,
  max_side: int = 0,
  feather: int = 0,
  network: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
  on_report: Callable[[Report], None] = lambda report: None,
  on_notice: Callable[[str], None] = logging.warning,
) -> Result:
  """Fits a network to a picture and returns its restored picture.

  If the long side is more than `max_side` px, `inpaint` fits only the
  surroundings of the holes and, if these are still too large, a smaller copy of
  them. The fill is then enlarged, and softer than its surroundings. Known
  pixels always keep their values. `denoise` and `x4` refuse such pictures,
  since a smaller copy does not show the grain of the original.

  Args:
    picture: f32[H, W, C] in [0, 1], C = 1 or 3.
    task: one of `TASKS`.
    mask: bool or float [H, W], more than 0.5 where the picture is missing; for
      'inpaint', and only for that.
    seed: of the network's weights, its input and the perturbations.
    steps: to take at most.
    optimizer: 'adam' as in the paper, which needs a learning rate of 0.01, or
      'muon' (https://arxiv.org/abs/2502.16982), which makes the updates of
      kernels orthogonal and needs well under half of the steps.
    learning_rate: of the optimizer.
    smooth: for 'inpaint': sigma in px of the blur of the copy that the fit
      begins with, 0 = begin with grey, as in the paper. From grey, many steps
      are spent on broad tones, and in dark pictures the output drifts to black
      in the middle of large holes.
    perturbation: sigma of the noise added to the input, new at each step.
    decay: of the exponential average of the outputs. In the beginning the
      average covers about a tenth of them.
    window: number of outputs from which 'denoise' computes the variance; it
      does not stop before so many steps.
    patience: end after so many steps without progress, 0 = never. Progress is
      a lower variance of the outputs ('denoise') or a loss that is lower by 1 %
      (the others).
    report_every: steps between reports; only these wait for the device.
    max_side: px of the network's output; 0 = 512 on a CPU, else 1024.
    feather: px inside the holes over which the fill fades in; 0
      leaves every known pixel as it was, bit by bit.
    network: fields of `skip.SkipNet` that should differ from the paper.
    on_report: called with a `Report`.
    on_notice: called with a line that the user should know.

  Returns:
    A `Result`. After KeyboardInterrupt (Ctrl-C) it is that of the last report.

  Raises:
    ValueError: arguments that do not go together or are out of range.
    DivergedError: the loss was not finite, lower learning rates included.
  """
  given = np.asarray(picture)
  picture, missing = _checked(given, task, mask)
  aim = _AIMS[task]
  for name, value, least in (
    ('steps', steps, 1),
    ('report_every', report_every, 1),
    ('window', window, 2),
    ('patience', patience, 0),
    ('feather', feather, 0),
    ('max_side', max_side, 0),
    ('smooth', smooth, 0),
  ):
    if value < least:
      raise ValueError(f'{name}={value} is less than {least}')
  if optimizer not in OPTIMIZERS:
    raise ValueError(
      f'optimizer={optimizer!r} is not one of {", ".join(OPTIMIZERS)}'
    )
  if not 0 <= decay < 1:
    raise ValueError(f'decay={decay} is not in [0, 1)')
  max_side = max_side or (512 if jax.default_backend() == 'cpu' else 1024)

  # ---- What is fitted, and how its result becomes that of the picture.
  scale = aim.scale
  if aim.fills:
    box, size = area.work_area(missing, max_side, on_notice)
    target, weight = area.shrink(picture[box], ~missing[box], size)
    finish = lambda y: area.join(given, missing, y, box, feather)
  else:
    _check_size(picture, task, scale, max_side)
    target, weight = picture, np.ones_like(picture[..., :1])
    finish = lambda y: y
  height, width, channels = target.shape
  size = height * scale, width * scale
  if aim.fills and smooth:
    start = area.blur(target, weight, smooth)
  else:
    start = jnp.full((*size, channels), 0.5)
  shrink = (
    None
    if scale == 1
    else tuple(
      jnp.asarray(resampling.matrix(side * scale, side, 1 / scale), jnp.float32)
      for side in (height, width)
    )
  )
  model = skip.SkipNet(out_channels=channels, **dict(network))
  keys = jax.random.split(jax.random.key(seed))
  fixed = fit.Fixed(
    keys[0],
    _INPUT_RANGE * jax.random.uniform(keys[1], (1, *size, INPUT_CHANNELS)),
    jnp.asarray(target),
    jnp.asarray(weight),
    start,
    shrink,
    jnp.float32(perturbation),
    jnp.float32(decay),
  )
  # This kind of key for the weights: drawing them compiles five times faster.
  state = fit.start(
    model,
    jax.random.key(seed, impl='rbg'),
    fixed,
    (*size, channels),
    window if aim.early else 0,
    optimizer,
  )

  def estimate(state):
    # Noise is in the later outputs; for the others later is better.
    y = state.best_average if aim.early else state.average
    return finish(np.asarray(y))

  # ---- Steps.
  good, restarts, stopped_by = fit.copy(state), 0, 'steps'
  done = 0
  try:
    while done < steps and stopped_by == 'steps':
      for _ in range(min(report_every, steps - done)):
        state = fit.step(
          state, fixed, jnp.float32(learning_rate), model, window, optimizer
        )
      done, loss, best_step = jax.device_get(
        (state.step, state.loss, state.best_step)
      )
      if not np.isfinite(loss):
        restarts += 1
        if restarts > _RESTARTS:
          raise DivergedError(
            f'the loss is not finite after step {int(good.step)}, however '
            f'often it is tried; lower learning_rate={learning_rate}'
          )
        learning_rate /= 2
        state, done = fit.copy(good), int(good.step)
        on_notice(
          f'the loss is not finite: back to step {done}, with '
          f'learning rate {learning_rate}'
        )
        continue
      good = fit.copy(state)
      on_report(
        Report(int(done), float(loss), functools.partial(estimate, good))
      )
      if patience and done - best_step >= patience:
        stopped_by = 'early_stop'
  except KeyboardInterrupt:
    if not int(good.step):
      raise
    stopped_by = 'interrupted'
  return Result(
    estimate(good), int(good.step), stopped_by, float(good.loss), restarts
  )


def _checked(picture, task, mask):
  """(picture without its missing values, bool[H, W] missing)."""
  if task not in TASKS:
    raise ValueError(f'task={task!r} is not one of {", ".join(TASKS)}')
  picture = np.asarray(picture)
  if (
    picture.ndim != 3
    or picture.shape[2] not in (1, 3)
    or not np.issubdtype(picture.dtype, np.floating)
  ):
    raise ValueError(
      'the picture must be float [H, W, 1 or 3] in [0, 1], got '
      f'{picture.dtype} {list(picture.shape)}'
    )
  if (mask is not None) != _AIMS[task].fills:
    raise ValueError(
      f'task={task!r} '
      + ('needs a mask of what is missing' if mask is None else 'takes no mask')
    )
  missing = np.zeros(picture.shape[:2], bool)
  if mask is not None:
    missing = np.asarray(mask) > 0.5
    if missing.shape != picture.shape[:2]:
      raise ValueError(
        f'the mask is {list(missing.shape)}, but the picture '
        f'{list(picture.shape[:2])}, height and width'
      )
    if not missing.any():
      raise ValueError('the mask is empty: nothing is missing')
    if missing.all():
      raise ValueError('the mask covers everything: nothing is known')
  # A hole may hold anything, even what is not a number.
  picture = np.where(missing[..., None], 0, picture).astype(np.float32)
  if not np.isfinite(picture).all():
    raise ValueError('the picture has values that are not finite')
  return picture, missing


def _check_size(picture, task, scale, max_side):
  """ValueError if the result is too large."""
  side = scale * max(picture.shape[:2])
  if side > max_side:
    raise ValueError(
      f'task={task!r} of a picture of {picture.shape[1]} x '
      f'{picture.shape[0]} px makes one of {side} px, more than max_side='
      f'{max_side}; cut out a part of it, or raise max_side (time and memory '
      'grow with its square: about 3 GB at 512)'
    )
