"""NIQE: how far a picture is from natural ones, without another to compare.

The model of natural pictures is that of the authors' release, so figures are
those that papers give (parameters/LICENSES.md).

A. Mittal, R. Soundararajan, A. Bovik 2013,
https://doi.org/10.1109/LSP.2012.2227726
"""

import functools
import pathlib

import cv2
import numpy as np
from scipy import special

from artjax import resampling

_BLOCK = 96  # px, of the first of two scales
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # each in one half of them
_SHAPES = np.arange(0.2, 10.001, 0.001)  # of the distributions that are fitted
_RATIOS = special.gamma(2 / _SHAPES) ** 2 / (
  special.gamma(1 / _SHAPES) * special.gamma(3 / _SHAPES)
)


def of_luma(luma: np.ndarray) -> float:
  """NIQE of a picture, about 2 to 20; lower is more natural.

  Args:
    luma: [H, W], 16 to 235, rounded as MATLAB does. Rows and columns beyond
      whole blocks of 96 px, at the bottom and at the right, have no part in it.

  Raises:
    ValueError: it has less than two blocks.
  """
  rows, columns = (side // _BLOCK for side in luma.shape)
  if rows * columns < 2:
    raise ValueError(
      f'niqe needs at least {_BLOCK} x {2 * _BLOCK} px after the crop, got '
      f'{luma.shape[0]}x{luma.shape[1]}'
    )
  luma = luma[: rows * _BLOCK, : columns * _BLOCK].astype(np.float64)
  half = resampling.imresize(luma, 0.5)
  features = np.concatenate(
    [
      [_features(block) for block in _blocks(_normalized(scaled), side)]
      for scaled, side in ((luma, _BLOCK), (half, _BLOCK // 2))
    ],
    axis=1,
  )  # f64[blocks, 36]
  known = features[~np.isnan(features).any(1)]
  if len(known) < 2:  # of one colour all over
    return np.nan
  mean, covariance = _natural()
  apart = mean - np.nanmean(features, 0)
  inverse = np.linalg.pinv((covariance + np.cov(known, rowvar=False)) / 2)
  return float(np.sqrt(apart @ inverse @ apart))


def _normalized(luma):
  """The picture without its local mean and contrast."""
  blurred = lambda x: cv2.GaussianBlur(
    x, (7, 7), 7 / 6, borderType=cv2.BORDER_REPLICATE
  )
  mean = blurred(luma)
  deviation = np.sqrt(np.abs(blurred(luma**2) - mean**2))
  return (luma - mean) / (deviation + 1)


def _blocks(picture, side):
  height, width = picture.shape
  parts = picture.reshape(height // side, side, width // side, side)
  return parts.swapaxes(1, 2).reshape(-1, side, side)


def _features(block):
  """18 of a block: distributions of its values, and of products of two."""
  shape, left, right = _fitted(block)
  found = [shape, (left + right) / 2]
  for offset in _NEIGHBOURS:
    shape, left, right = _fitted(block * np.roll(block, offset, (0, 1)))
    mean = (right - left) * special.gamma(2 / shape) / special.gamma(1 / shape)
    found += [shape, mean, left, right]
  return found


def _fitted(values):
  """(shape, left, right scale): an asymmetric generalized Gaussian."""
  squares = values**2
  with np.errstate(invalid='ignore'):  # 0 / 0 where all is equal
    left, right = (
      np.sqrt(squares[side].sum() / np.float64(side.sum()))
      for side in (values < 0, values > 0)
    )
    ratio = np.float64(left) / right
    kurtosis = np.abs(values).mean() ** 2 / squares.mean()
  sought = kurtosis * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
  shape = _SHAPES[np.argmin((_RATIOS - sought) ** 2)]
  scale = np.sqrt(special.gamma(1 / shape) / special.gamma(3 / shape))
  return shape, left * scale, right * scale


@functools.cache
def _natural():
  """(mean f64[36], covariance f64[36, 36]) of blocks of natural pictures."""
  path = pathlib.Path(__file__).parent / 'parameters' / 'niqe.npz'
  with np.load(path) as stored:
    return stored['mean'], stored['covariance']
