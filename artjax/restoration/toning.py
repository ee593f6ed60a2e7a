"""The stage that corrects fading, varnish and casts, with one transform.

The option `tone` sets its strength, in addition to `strength`, which scales all
changes of a chain. The record contains the transform and the share of it that
was applied.
"""

from typing import Any

import numpy as np

from artjax.inference import base
from artjax.restoration import stages
from artjax.tasks import tone


class Tone(stages.Stage):
  """Curves and a mixing of channels, predicted from a thumbnail."""

  kind = 'tone'
  refuses = {'self_ensemble': 'processes a picture once, upright'}

  def strips(self, view: stages.View, work: stages.Work) -> base.Strips | None:
    """See `stages.Stage`; at strength 0 the picture is unchanged."""
    if work.options.tone == 0:
      return None

    def on_transform(found: np.ndarray, share: float) -> None:
      work.tone = {'share': round(share, 4), **tone.describe(found)}

    return self.restorer.strips(
      view.read,
      view.height,
      view.width,
      view.thumbnail(self.restorer.view),
      strength=work.options.tone,
      on_tiles=work.on_tiles,
      on_transform=on_transform,
    )

  def tiles(self, height: int, width: int, work: stages.Work) -> int:
    """See `stages.Stage`."""
    return super().tiles(height, width, work) if work.options.tone else 0

  def provenance(self, work: stages.Work) -> dict[str, Any]:
    """The transform that was applied."""
    return {'tone': work.tone} if work.tone else {}
