"""Sketches made from pictures, like those of an artist's pencil or pen.

Each function makes an op that writes the drawing to 'image' and the picture it
was made from to 'target'. Drawings are grey, f32[H, W, 3] in [0, 1], dark on
light. Blur, contrast and paper vary from one to the next, so that a network
learns drawings in general and not a single filter.
"""

import cv2
import numpy as np

from artjax.data.degradations import decorators
from artjax.data.examples import Op
from artjax.data.examples import op

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_PENCIL_SHARE = 0.6  # of the drawings of `sketch`


@op
def sketch() -> Op:
  """A drawing by `pencil` or by `xdog`, at random."""
  drawings = _pencil, _xdog
  return _op(
    lambda grey, rng: drawings[rng.random() > _PENCIL_SHARE](grey, rng)
  )


@op
def pencil() -> Op:
  """A pencil drawing: grey is dodged by its blurred inverse, on paper.

  Dodging divides the grey value by that of its surroundings: flat areas become
  paper, and darker details become lines. The width of the blur, 1.5 to 12 px,
  determines how much shading stays.
  """
  return _op(_pencil)


@op
def xdog() -> Op:
  """An ink drawing of edges: extended difference of Gaussians, on paper.

  Winnemoeller, Kyprianidis and Olsen 2012,
  https://doi.org/10.1016/j.cag.2012.03.004. The darkest 5 to 35 % of the
  differences become ink.
  """
  return _op(_xdog)


def _op(draw):
  def fn(example, rng):
    grey = decorators.as_float(example['image']) @ _LUMA
    drawing = _on_paper(draw(grey, rng), rng)
    return {
      **example,
      'target': example['image'],
      'image': np.repeat(drawing[..., None], 3, axis=-1),
    }

  return fn


def _pencil(grey, rng):
  inverted = 1 - grey
  blurred = _blur(inverted, _log_uniform(rng, 1.5, 12))
  dodged = np.minimum(grey / np.maximum(1 - blurred, 0.02), 1)
  # A harder pencil draws darker lines.
  return dodged ** np.float32(_log_uniform(rng, 0.8, 3))


def _xdog(grey, rng):
  sigma = _log_uniform(rng, 0.5, 1.6)
  sharpness = rng.uniform(8, 25)
  slope = _log_uniform(rng, 3, 30)
  near, far = _blur(grey, sigma), _blur(grey, 1.6 * sigma)
  edges = (1 + sharpness) * near - sharpness * far
  # Of the picture's own values, so that a dark one is not all ink.
  threshold = np.quantile(edges[::2, ::2], rng.uniform(0.05, 0.35))
  drawing = 1 + np.tanh(slope * np.minimum(edges - threshold, 0))
  return drawing.astype(np.float32)


def _on_paper(drawing, rng):
  """The drawing on paper that is off white, grainy and unevenly lit."""
  height, width = drawing.shape
  grain = _blur(
    rng.standard_normal(drawing.shape, np.float32), rng.uniform(0.4, 1.2)
  )
  paper = rng.uniform(0.85, 1) + np.float32(rng.uniform(0, 0.05)) * grain
  light = rng.uniform(-0.08, 0.08, (2, 2)).astype(np.float32)
  paper = paper + cv2.resize(
    light, (width, height), interpolation=cv2.INTER_LINEAR
  )
  ink = rng.uniform(0, 0.25)  # of the light that the darkest line reflects
  return np.clip(paper * (ink + (1 - ink) * drawing), 0, 1, dtype=np.float32)


def _blur(image, sigma):
  return cv2.GaussianBlur(image, (0, 0), sigma)


def _log_uniform(rng, low, high):
  return float(np.exp(rng.uniform(np.log(low), np.log(high))))
