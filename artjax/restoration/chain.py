"""A chain of stages: loaded by name, checked, and run on a picture."""

from collections.abc import Iterable
import functools
import os
from typing import Any

import numpy as np

from artjax import registry
from artjax import tasks
from artjax.image_io import reader
from artjax.inference import base
from artjax.inference import loading
from artjax.inference import weights as weights_lib
from artjax.inference.engines import names as engine_names
from artjax.restoration import options as options_lib
from artjax.restoration import stages as stages_lib
from artjax.restoration import strips as strips_lib


class Chain:
  """Stages that run one after the other.

  Attributes:
    stages: in their order.
    scale: of the result to the picture.
    finds: whether a stage finds damage.
    fills: whether a stage fills.
    makes_picture: whether a stage makes a picture; else the chain only finds.
    seed: of random numbers; None = none are drawn.
  """

  def __init__(self, weights: str | Iterable[str]) -> None:
    """Loads weights.

    Args:
      weights: in the grammar of inference/weights.py: 'a,b' or just 'a', or a
        sequence of such names, one per stage.

    Raises:
      FileNotFoundError: there are no such weights.
      ValueError: their name cannot be read; the file is damaged, or its
        weights do not fit their model.
    """
    named = weights_lib.chain(weights)
    self.stages = [_stage(one) for one in named]
    self.scale = int(np.prod([stage.scale for stage in self.stages]))
    # Of all of them only Deep Image Prior draws at random.
    self.seed = 0 if any(one.is_prior for one in named) else None
    kinds = {stage.kind for stage in self.stages}
    self.finds, self.fills = 'detect' in kinds, 'fill' in kinds
    self.makes_picture = any(stage.makes_picture for stage in self.stages)

  def __str__(self):
    return ','.join(self.names)

  @property
  def names(self) -> list[str]:
    """Names of the weights, as they were given."""
    return [stage.name for stage in self.stages]

  @property
  def restorers(self) -> list[base.Restorer]:
    """The restorers of all stages."""
    return [stage.restorer for stage in self.stages]

  @property
  def keeps_the_rest(self) -> bool:
    """Whether pixels outside the mask stay unchanged."""
    return {stage.kind for stage in self.stages} <= {'fill', 'detect'}

  @property
  def predicts_errors(self) -> bool:
    """Whether the expected accuracy of its result can be stated.

    The last network must predict it, and no stage may change the size or invent
    colours.
    """
    networks = [s for s in self.stages if isinstance(s, stages_lib.Network)]
    return (
      self.scale == 1
      and not self.conjecture
      and bool(networks)
      and networks[-1].calibration is not None
    )

  @property
  def conjecture(self) -> list[str]:
    """The invented parts of the result; [] for a restoration."""
    return [stage.conjecture for stage in self.stages if stage.conjecture]

  def check(
    self, options: options_lib.Options, mask: str = '', hints: str = ''
  ) -> None:
    """Raises ValueError if something is missing or cannot be used.

    Args:
      options: how a picture is to be restored.
      mask: path, or '' if there is none.
      hints: path, or '' if there are none.
    """
    self._check_mask(bool(mask or options.region))
    colorizes = any(stage.kind == 'colorize' for stage in self.stages)
    if not colorizes and (hints or 'saturation' in options.changed()):
      raise ValueError(
        f'{self} does not colorize: it cannot use hints or saturation'
      )
    for stage in self.stages:
      for name in set(options.changed()) & stage.refuses.keys():
        raise ValueError(
          f'{stage.name} cannot use {name}: it {stage.refuses[name]}'
        )
      stage.check_engine(options.engine)
    if options.engine not in (engine_names.JAX, engine_names.AUTO) and not any(
      stage.has_engines for stage in self.stages
    ):
      raise ValueError(f'engine={options.engine}: {self} runs in jax only')

  def notices(
    self, options: options_lib.Options, map_is_saved: bool = False
  ) -> list[str]:
    """The options of a request that have no effect, one line each.

    Args:
      options: how a picture is to be restored.
      map_is_saved: whether found damage is written to a file.
    """
    found = [
      f'{name} has no effect on {self}'
      for name in options.changed()
      if options_lib.stages_of(name)
      and not any(stage.uses(name) for stage in self.stages)
    ]
    finders = [s.name for i, s in enumerate(self.stages) if self._in_vain(i)]
    if finders and self.makes_picture and not map_is_saved:
      found.append(
        f'the damage that {", ".join(finders)} finds is not used: put weights '
        'that fill or lighten stains after it, or save its map'
      )
    return found

  def sizes(self, height: int, width: int) -> list[tuple[int, int]]:
    """(height, width) in px of the input of each stage, and of the result."""
    found = [(height, width)]
    for stage in self.stages:
      found.append(tuple(side * stage.scale for side in found[-1]))
    return found

  def strips(
    self, picture: reader.Picture, work: stages_lib.Work, folder: str
  ) -> base.Strips | None:
    """The result of the chain in strips; None if it makes no picture.

    Args:
      picture: the source, after `Stage.prepare` of all stages.
      work: of this picture; the stages add to it, the last one while its
        strips are read.
      folder: for temporary files between two stages.
    """
    sizes = self.sizes(picture.height, picture.width)
    work.planned = sum(
      stage.tiles(*size, work) for stage, size in zip(self.stages, sizes)
    )
    view = _view(picture, *sizes[0])
    strips = None  # of the last stage that makes a picture
    for i, (stage, size) in enumerate(zip(self.stages, sizes)):
      if strips is not None:  # what one stage makes is what the next one sees
        buffer = strips_lib.Buffer(os.path.join(folder, f'stage{i}'), *size)
        for top, rows in strips:
          buffer.write(top, rows[..., :3])
        view = _view(buffer, *size)
      strips = stage.strips(view, work)
    if strips is None and self.makes_picture:
      return strips_lib.unchanged(view.read, *sizes[-1])
    return strips

  def describe(self) -> list[dict[str, Any]]:
    """The chain as JSON: names, fingerprints, configurations."""
    return [stage.describe() for stage in self.stages]

  def provenance(self, work: stages_lib.Work) -> dict[str, Any]:
    """Which parts of the result are conjecture, and how it was made."""
    record: dict[str, Any] = {'engines': work.engines}
    if self.conjecture:
      record['conjectural'] = self.conjecture
    for stage in self.stages:
      record |= stage.provenance(work)
    return record

  def _in_vain(self, i):
    """Whether stage i finds damage that no later stage acts on."""
    acts = stages_lib.Fill, stages_lib.Stains
    later = any(isinstance(stage, acts) for stage in self.stages[i + 1 :])
    return self.stages[i].kind == 'detect' and not later

  def _check_mask(self, mask):
    found = False
    for stage in self.stages:
      found |= stage.kind == 'detect'
      if stage.kind == 'fill' and not (found or mask):
        raise ValueError(
          f'{stage.name} needs a mask of what to fill: give a mask, or put '
          f'weights that find damage before it (detect,{stage.name})'
        )
    if mask and not (self.fills or self.finds):
      raise ValueError(
        f'{self} does not fill: it cannot use a mask or a region'
      )


def _stage(named):
  """The stage for some weights: the one that their task names."""
  if named.is_prior:
    from artjax.inference import deep_image_prior  # of no use to others

    return stages_lib.Prior(named, deep_image_prior.Restorer())
  restorer = loading.restorer(named)
  stage = tasks.get(restorer.config.task).stage
  return registry.get('artjax.restoration', stage)(named, restorer)


def _view(source, height, width):
  """A picture with `read` and `thumbnail`, as the view of a stage."""
  return stages_lib.View(
    source.read, functools.cache(source.thumbnail), height, width
  )
