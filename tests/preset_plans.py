"""What the presets of degradations draw, read off their plans."""

import numpy as np

from artjax import registry
from artjax.data.degradations import plans as tables

PRESETS = registry.ops('artjax.data.degradations.presets')


def picture(height=128, width=128, seed=0):
  y, x = np.mgrid[:height, :width] / max(height, width)
  rng = np.random.default_rng(seed)
  image = np.stack(
    [
      0.45
      + 0.3 * np.sin(5 * x + phase + 4 * y * phase)
      + 0.15 * np.sin(60 * y * x + phase)
      for phase in rng.uniform(0.5, 3, 3)
    ],
    -1,
  )
  return np.rint(255 * image).astype(np.uint8)


def names_of(run, monkeypatch, factory, seeds):
  """The degradations of each example, in order; `run` is the real one."""
  plans = []

  def spy(plan, example, severity, rng):
    plans.append([step.__name__ for step, _ in plan])
    return run(plan, example, severity, rng)

  monkeypatch.setattr(tables, 'run', spy)
  for seed in seeds:
    factory(0.5)({'image': picture(32, 32)}, np.random.default_rng(seed))
  return plans
