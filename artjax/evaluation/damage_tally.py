"""Pixel counts from which the metrics of damage detection are computed.

Pixels are counted by probability, in 256 levels, separately for damaged and
undamaged ones. All figures are computed from these counts, so no picture is
kept and another threshold does not need the network again.
"""

import cv2
import numpy as np

from artjax import damage_classes
from artjax.evaluation import metrics

# 'any': the largest probability of the three.
CLASSES = damage_classes.CLASSES + ('any',)


class Tally:
  """Counts of pixels by class, level of probability, and truth.

  Attributes:
    pixels: i64[4, 2, 256]: class of `CLASSES`, undamaged or damaged, level.
    thin: i64[2, 256], for the pixels of thin cracks: levels of their own
      probability of a crack, and of the largest one within 1 px.
    clean: {picture: i64[256]}, levels of any damage in undamaged pictures.
  """

  def __init__(self):
    self.pixels = np.zeros([len(CLASSES), 2, 256], np.int64)
    self.thin = np.zeros([2, 256], np.int64)
    self.clean = {}

  def add(self, probabilities: np.ndarray, mask: np.ndarray) -> None:
    """Counts a damaged picture: both u8[H, W, 3]."""
    damaged = mask >= 128
    for i, name in enumerate(CLASSES):
      part = (
        (probabilities.max(-1), damaged.any(-1))
        if name == 'any'
        else (probabilities[..., i], damaged[..., i])
      )
      self.pixels[i] += _levels(*part)
    lines, crack = thin(damaged[..., 0]), probabilities[..., 0]
    near = cv2.dilate(crack, np.ones((3, 3)))
    for i, levels in enumerate((crack, near)):
      self.thin[i] += _levels(levels, lines)[1]

  def add_clean(self, name: str, probabilities: np.ndarray) -> None:
    """Counts the probabilities found in an undamaged picture, u8[H, W, 3]."""
    levels = probabilities.max(-1).ravel()
    self.clean[name] = np.bincount(levels, minlength=256)

  def merge(self, other: 'Tally') -> None:
    """Adds the counts of other pictures."""
    self.pixels += other.pixels
    self.thin += other.thin
    self.clean |= other.clean

  def figures(self, name: str, threshold: float) -> dict[str, float]:
    """Figures of one of `CLASSES`; nan where there is nothing.

    Returns:
      {'share': damaged share of the pixels, 'average_precision', and at the
      threshold 'precision', 'recall', 'f1' and 'iou'}.
    """
    sound, damaged = self.pixels[CLASSES.index(name)]
    precision, recall, average = metrics.precision_recall(damaged, sound)
    level = level_of(threshold)
    hits, marks = damaged[level:].sum(), (damaged + sound)[level:].sum()
    total = damaged.sum()
    return {
      'share': total / max((damaged + sound).sum(), 1),
      'average_precision': average,
      'precision': precision[level],
      'recall': recall[level],
      'f1': _ratio(2 * hits, total + marks),
      'iou': _ratio(hits, total + marks - hits),
    }

  def best_threshold(self, name: str = 'any') -> float:
    """The lowest threshold with the best F1, and IoU, of a class: a bound."""
    sound, damaged = self.pixels[CLASSES.index(name)]
    precision, recall, _ = metrics.precision_recall(damaged, sound)
    with np.errstate(invalid='ignore'):  # 0 / 0
      f1 = 2 * precision * recall / (precision + recall)
    # Not level 0, from which on everything is marked; nan where nothing is.
    return (1 + int(np.argmax(np.nan_to_num(f1[1:])))) / 255

  def thin_recall(self, threshold: float) -> tuple[float, float]:
    """(recall of the pixels of thin cracks, the same within 1 px)."""
    found = self.thin[:, level_of(threshold) :].sum(1)
    return tuple(_ratio(f, t) for f, t in zip(found, self.thin.sum(1)))

  def false_area(self, threshold: float) -> tuple[float, float]:
    """(mean, maximum) share of undamaged pictures that is marked."""
    shares = [self.false_share(name, threshold) for name in self.clean]
    if not shares:
      return np.nan, np.nan
    return float(np.mean(shares)), max(shares)

  def false_share(self, name: str, threshold: float) -> float:
    """Share of one undamaged picture that is marked."""
    counts = self.clean[name]
    return counts[level_of(threshold) :].sum() / counts.sum()


def level_of(threshold: float) -> int:
  """The lowest of 256 levels that reaches a probability in (0, 1]."""
  if not 0 < threshold <= 1:
    raise ValueError(f'threshold must be in (0, 1], got {threshold}')
  return int(np.ceil(threshold * 255 - 1e-4))  # 51 / 255 is level 51


def _levels(probability, truth):
  """i64[2, 256]: levels of the pixels that are False, and that are True."""
  return np.stack(
    [
      np.bincount(probability[truth == value], minlength=256)
      for value in (False, True)
    ]
  )


def _ratio(part, whole):
  return part / whole if whole else np.nan


def thin(mask: np.ndarray) -> np.ndarray:
  """Marks the parts of bool[H, W] that are at most 2 px wide.

  An area that a square of 3 x 3 px fits into is wide, and so are pixels
  touching it: the ragged edges of a wide crack do not count as thin.
  """
  square = np.ones((3, 3), np.uint8)
  mask = np.ascontiguousarray(mask).view(np.uint8)
  wide = cv2.morphologyEx(mask, cv2.MORPH_OPEN, square)
  return (mask > cv2.dilate(wide, square)).astype(bool)
