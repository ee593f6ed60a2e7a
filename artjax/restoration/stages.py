"""The stages of a chain, behind one interface.

A task names the stage that runs its weights: 'stages.Network', 'stages.Fill',
'generative.Colorize', ... A stage gets the result of the stages before it, and
data that all stages share. It returns its result in strips, or None if it does
not change the picture.
"""

import abc
from collections.abc import Callable, Mapping
import dataclasses
import functools
from typing import Any, ClassVar, NamedTuple

import numpy as np

from artjax import tasks
from artjax.damage_classes import CLASSES
from artjax.image_io import reader
from artjax.inference import base
from artjax.inference import confidence
from artjax.inference import knobs
from artjax.inference import tiling
from artjax.inference import weights
from artjax.inference.engines import base as engine_base
from artjax.inference.engines import names as engine_names
from artjax.interop import safetensors_io
from artjax.restoration import expected_accuracy
from artjax.restoration import options as options_lib
from artjax.restoration import strips as strips_lib
from artjax.restoration.masks import damage_mask

# {option: what a network is told by it}.
_KNOBS = {'noise': knobs.NOISE, 'jpeg_quality': knobs.QUALITY}

# Probabilities of a stain between which more and more of a change is applied:
# the detector knows better than the network that undoes stains what is one. See
# docs/experiments/stains.md.
_UNSURE = (0.2, 0.5)


class View(NamedTuple):
  """A picture as a stage is shown it."""

  read: base.Read
  thumbnail: Callable[[int], np.ndarray]  # short side, px -> f32[h, w, 3]
  height: int  # px
  width: int


@dataclasses.dataclass
class Work:
  """The data on one picture that the stages of a chain share."""

  options: options_lib.Options
  mask: damage_mask.Mask  # what is found, and what is to be filled
  notices: list[str]  # for the user, a line each
  hints_path: str = ''
  progress: Callable[[int, int], None] = lambda done, total: None
  planned: int = 0  # tiles in all; more where memory is short
  # Told by the stages:
  tiles: int = 0  # done
  hints: np.ndarray | None = None  # u8[h, w, 4], see user_inputs.py
  hole: np.ndarray | None = None  # bool [h, w], what was filled
  inverted: bool = False  # whether a drawing was
  tone: dict[str, Any] | None = None  # the transform of tones, as JSON
  jpeg_quality: float | None = None  # that was estimated
  engines: dict[str, str] = dataclasses.field(default_factory=dict)
  halved: list[str] = dataclasses.field(default_factory=list)
  predicted_errors: expected_accuracy.PredictedErrors | None = (
    None  # how wrong the picture may be
  )

  def on_tiles(self, done: int) -> None:
    """Counts so many more tiles as done."""
    self.tiles += done
    self.progress(self.tiles, max(self.planned, self.tiles))

  def on_engine(self, name: str, used: engine_base.Used) -> None:
    """Notes which engine runs the weights `name`."""
    self.engines[name] = engine_names.called(used.engine)
    if used.notice:
      self.notices.append(f'{name}: {used.notice}')

  def on_quality(self, estimated: float) -> None:
    """Notes with which quality of JPEG the picture was saved."""
    self.jpeg_quality = estimated

  def on_halved(self, grid: tiling.Grid) -> None:
    """Notes that memory was short."""
    self.halved.append(f'short of memory: tiles of {max(grid.core)} px')


class Stage(abc.ABC):
  """One network, run on whole pictures; see the module.

  Attributes:
    kind: of `options.STAGES`.
    makes_picture: whether it returns a picture.
    refuses: {option: why it cannot be used with this stage}.
    name: of the weights, as it was given.
    restorer: runs the weights.
    scale: of the result relative to the picture.
    conjecture: the invented part of its result; '' for a restoration.
  """

  kind: ClassVar[str]
  makes_picture: ClassVar[bool] = True
  refuses: ClassVar[Mapping[str, str]] = {}

  def __init__(self, named: weights.Weights, restorer: base.Restorer) -> None:
    self.name = str(named)
    self.restorer = restorer
    self.scale = restorer.scale
    self.conjecture = tasks.get(restorer.config.task).conjecture

  def prepare(self, picture: reader.Picture, work: Work) -> None:
    """Called before the first stage: prepares reading, adds notices."""
    del picture, work

  @abc.abstractmethod
  def strips(self, view: View, work: Work) -> base.Strips | None:
    """The result of this stage in strips; None = no change.

    Raises:
      tiling.OutOfMemory: not even the smallest tiles fit.
      user_inputs.BadInput: there is nothing to fill from.
    """

  def uses(self, option: str) -> bool:
    """Whether an option has an effect on this stage."""
    if option == 'engine' and not self.has_engines:
      return False
    return self.kind in options_lib.stages_of(option)

  def check_engine(self, engine: str) -> None:
    """Raises ValueError, one line, if its network cannot run in an engine."""
    use = getattr(self.restorer, 'use', None)
    if use and engine != engine_names.AUTO:
      use(engine)

  @property
  def has_engines(self) -> bool:
    """Whether other engines than JAX can run its network."""
    return hasattr(self.restorer, 'use')

  def tiles(self, height: int, width: int, work: Work) -> int:
    """How often it reports progress on a picture of that size."""
    return self.restorer.tiles(height, width, work.options.tile)

  def describe(self) -> dict[str, Any]:
    """The stage as JSON: name, fingerprint, configuration."""
    return {
      'name': self.name,
      'params_sha256': self._fingerprint,
      'task': self.restorer.config.task,
      'model': self.restorer.config.model.to_dict(),
    }

  @functools.cached_property
  def _fingerprint(self) -> str:
    """Of the weights; it takes as long as reading them, and they stay."""
    return safetensors_io.sha256(self.restorer.params)

  def provenance(self, work: Work) -> dict[str, Any]:
    """Further facts on its work for the record."""
    del work
    return {}

  def _settings(self, work):
    """Settings of the restorer for tiles."""
    settings = {
      'self_ensemble': work.options.self_ensemble,
      'tile': work.options.tile,
      'on_tiles': work.on_tiles,
      'on_halved': work.on_halved,
    }
    if self.has_engines:
      settings['engine'] = work.options.engine
      settings['on_engine'] = functools.partial(work.on_engine, self.name)
    return settings


class Network(Stage):
  """Restores or enlarges the whole picture, tile by tile."""

  kind = 'network'

  @property
  def calibration(self) -> confidence.Calibration | None:
    """The calibration of its predicted errors; None without any."""
    return getattr(self.restorer, 'calibration', None)

  def uses(self, option: str) -> bool:
    """Not all networks predict their errors, or keep the size."""
    if option == 'confidence_map' and not self.calibration:
      return False
    if option == 'structure' and self.scale > 1:
      return False
    if option in _KNOBS and _KNOBS[option] not in self._knobs:
      return False
    return super().uses(option)

  @property
  def _knobs(self):
    return getattr(self.restorer, 'knobs', ())

  def provenance(self, work: Work) -> dict[str, Any]:
    """The quality of JPEG that was estimated, if one was."""
    if work.jpeg_quality is None:
      return {}
    return {'estimated_jpeg_quality': round(work.jpeg_quality, 1)}

  def _settings(self, work):
    """What tiles are told, and what the network is told of the picture."""
    told = {}
    if knobs.NOISE in self._knobs:
      told['noise'] = work.options.noise
    if knobs.QUALITY in self._knobs:
      told['jpeg_quality'] = work.options.jpeg_quality or None
      told['on_quality'] = work.on_quality
    return super()._settings(work) | told

  def strips(self, view: View, work: Work) -> base.Strips:
    """See `Stage`."""
    strips = self.restorer.strips(
      view.read,
      view.height,
      view.width,
      view.thumbnail(self.restorer.view),
      **self._settings(work),
    )
    work.predicted_errors = None
    if self.calibration:
      work.predicted_errors = expected_accuracy.PredictedErrors(
        self.calibration, view.height, view.width
      )
      strips = work.predicted_errors.taken_from(strips)
    share = work.options.structure
    if share < 1 and self.scale == 1:
      strips = strips_lib.partly(strips, view.read, view.width, share)
    return strips


class Stains(Network):
  """Undoes stains where a detector has found some; without one, anywhere."""

  def uses(self, option: str) -> bool:
    """It has no tiles, and always averages over 8 flips and rotations."""
    return option not in ('tile', 'self_ensemble') and super().uses(option)

  def strips(self, view: View, work: Work) -> base.Strips:
    """See `Stage`."""
    strips = super().strips(view, work)
    found = work.mask.probabilities
    if found is None:
      return strips
    chance = found[..., CLASSES.index('stain')] / np.float32(255)
    none, every = _UNSURE
    share = np.asarray(np.clip((chance - none) / (every - none), 0, 1))
    return strips_lib.partly_where(
      strips, view.read, view.height, view.width, share
    )


class Detect(Stage):
  """Finds damage for the record and for a later stage; makes no picture."""

  kind = 'detect'
  makes_picture = False

  def uses(self, option: str) -> bool:
    """Its network may always average over 8 flips and rotations."""
    if option == 'self_ensemble' and getattr(self.restorer, 'views', 1) > 1:
      return False
    return super().uses(option)

  def strips(self, view: View, work: Work) -> None:
    """See `Stage`: the map goes to `work.mask`."""
    found = self.restorer.strips(
      view.read,
      view.height,
      view.width,
      view.thumbnail(self.restorer.view),
      **self._settings(work),
    )
    work.mask.find(found, view.height, view.width)


class Fill(Stage):
  """Fills damage found or given; other pixels stay unchanged, bit by bit."""

  kind = 'fill'

  def uses(self, option: str) -> bool:
    """Some networks take tiles of one size only."""
    if option == 'tile' and getattr(self.restorer, 'tile', None):
      return False
    return super().uses(option)

  def strips(self, view: View, work: Work) -> base.Strips | None:
    """See `Stage`; None if there is nothing to fill."""
    work.hole = work.mask.hole()
    if summary := work.mask.summary():
      work.notices.append(summary)
    if not work.hole.any():
      return None
    return damage_mask.fill_strips(
      self.restorer,
      view.read,
      work.hole,
      view.height,
      view.width,
      view.thumbnail(self.restorer.view),
      work.options.mask_feather,
      **self._settings(work),
    )


class Prior(Fill):
  """Fills by Deep Image Prior, which is fitted to the picture itself."""

  refuses = {'self_ensemble': 'processes a picture once, upright'}

  def uses(self, option: str) -> bool:
    """It has no tiles."""
    return option != 'tile' and super().uses(option)
