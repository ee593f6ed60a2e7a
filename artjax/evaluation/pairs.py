"""Pairs of batches as metrics take them: checked, cropped; their luma."""

import numpy as np


def prepare(
  pred: np.ndarray, target: np.ndarray, crop: int
) -> tuple[np.ndarray, np.ndarray]:
  """Checks a pair of batches and cuts `crop` px off each side.

  Raises:
    ValueError: they are not u8[B, H, W, 3] of one shape, or nothing is left.
  """
  pred, target = np.asarray(pred), np.asarray(target)
  if pred.shape != target.shape:
    raise ValueError(
      f'pred and target differ in shape: {pred.shape} and {target.shape}'
    )
  if pred.ndim != 4 or pred.shape[-1] != 3:
    raise ValueError(f'metrics want RGB [B, H, W, 3], got {pred.shape}')
  for name, image in (('pred', pred), ('target', target)):
    if image.dtype != np.uint8:
      raise ValueError(
        f'metrics want uint8, but {name} is {image.dtype}: '
        'clip and round it first'
      )
  height, width = pred.shape[1:3]
  if crop != int(crop) or crop < 0 or 2 * crop >= min(height, width):
    raise ValueError(
      f'crop={crop} leaves nothing of a {height}x{width} picture, '
      'or is no whole number of px'
    )
  crop = int(crop)
  inside = np.s_[:, crop : height - crop, crop : width - crop]
  return pred[inside], target[inside]


def luma(image: np.ndarray) -> np.ndarray:
  """BT.601 luma of u8 RGB: [B, H, W, 3] -> float64[B, H, W, 1], 16 to 235."""
  weights = np.array([[65.481], [128.553], [24.966]]) / 255
  return image.astype(np.float64) @ weights + 16
