"""Masks and hints that users give with a picture.

A mask is white, or any colour, where to fill; black and transparent pixels are
kept. Grey values are compared with a threshold, so a damage probability map
written by a detector is a mask too. Instead, a mask may be transparent where to
fill: a copy of the picture with holes, or a blank sheet with holes.

Hints are strokes in the colours that things should have: a picture that is
transparent except for these strokes. They are drawn over the picture to
colorize, or over a copy of it of another size.
"""

import collections
from collections.abc import Iterable, Sequence
import os

import cv2
import numpy as np

from artjax import damage_classes
from artjax.image_io import formats
from artjax.image_io import reader
from artjax.image_io import vips
from artjax.inference import colorizer
from artjax.restoration.batch import journal

_ASPECT = 0.02  # relative difference at which a mask is another picture's
_OF_STROKES = 64  # colours of 5 bits a channel; more are a picture
_ENOUGH = 1024  # px of the short side of hints: the network sees far fewer
# Where a folder holds none that is marked as such: what was found there.
_SECOND = {'mask': 'damage'}


class BadInput(ValueError):
  """A mask or hints that cannot be used; the message names file and reason."""


class Folders:
  """Picture files and results in folders, each of which is read once."""

  def __init__(self) -> None:
    self._pictures: dict[str, dict[str, list[str]]] = {}
    self._results: dict[str, set[str]] = {}

  def pictures(self, folder: str, stems: Iterable[str]) -> list[str]:
    """Sorted paths of the picture files in a folder that have these stems."""
    if folder not in self._pictures:
      found: dict[str, list[str]] = collections.defaultdict(list)
      for name in os.listdir(folder):
        stem, suffix = os.path.splitext(name)
        if suffix.lower() in formats.SUFFIXES:
          found[stem].append(os.path.join(folder, name))
      self._pictures[folder] = {**found}
    known = self._pictures[folder]
    return sorted(path for stem in stems for path in known.get(stem, ()))

  def results(self, folder: str) -> set[str]:
    """Real paths of the results of runs in a folder."""
    if folder not in self._results:
      self._results[folder] = journal.results(folder)
    return self._results[folder]


def find(
  where: str,
  picture: str,
  kind: str = 'mask',
  below: str = '',
  folders: Folders | None = None,
) -> str:
  """Path of the mask or hints of a picture file.

  It is `where` itself, if that is a file. In a folder, whatever its suffix, it
  is the file named like the picture plus '-mask', '_mask' or '.mask'; else, for
  masks, plus '.damage', a damage probability map; else the file with the same
  name. A file with such a mark after the whole name of the picture, suffix
  included, comes first. The picture itself and results of runs are no masks.

  Args:
    where: path of a file or a folder.
    picture: path of the picture.
    kind: 'mask' or 'hints'.
    below: path of the picture below the folder that was named; if `where` has
      the same subfolders, these are searched.
    folders: what was read for other pictures.

  Raises:
    BadInput: there is none, or several.
  """
  if not os.path.isdir(where):
    if not os.path.exists(where):
      raise BadInput(f'{where}: no such {kind}')
    return where
  folders = folders or Folders()
  inner = os.path.join(where, os.path.dirname(below))
  folder = inner if os.path.isdir(inner) else where
  name = os.path.basename(picture)
  stem = os.path.splitext(name)[0]
  for names in _names(name, stem, kind):
    found = folders.pictures(folder, names)
    if names == {stem}:
      made, own = folders.results(folder), os.path.realpath(picture)
      real = {path: os.path.realpath(path) for path in found}
      found = [p for p in found if real[p] != own and real[p] not in made]
    if len(found) > 1:
      several = ', '.join(map(os.path.basename, found))
      raise BadInput(
        f'{picture}: {where} holds several files of the name: {several}'
      )
    if found:
      return found[0]
  raise BadInput(f'{picture}: {where} holds no {kind} of the name {stem}')


def is_marked(path: str, kind: str) -> bool:
  """Whether a file is named like a mask, or like hints."""
  return os.path.splitext(path)[0].endswith(_marks(kind))


def load_mask(
  path: str,
  height: int,
  width: int,
  threshold: float = 0.5,
  kinds: Sequence[str] = tuple(damage_classes.KINDS),
) -> tuple[np.ndarray, list[str]]:
  """Loads a mask for a picture of height x width px.

  Args:
    path: of a picture, white where to fill; or of a damage map, *.damage.png.
    height: of the picture, px.
    width: of the picture, px.
    threshold: of grey levels, in (0, 1).
    kinds: of damage, of `damage_classes.KINDS`, to use from a damage map.

  Returns:
    bool [height, width], True where to fill; and notices, a line each.

  Raises:
    BadInput: not a picture, of another aspect ratio, or covering everything.
  """
  notices = []
  try:
    with reader.open_picture(path) as picture:
      values = np.asarray(picture.screen().numpy())
  except reader.BadPicture as error:
    raise BadInput(str(error)) from error
  values = np.atleast_3d(values)
  channels = [0, 1, 2][: values.shape[2]]
  if path.endswith('.damage.png') and len(channels) == 3:
    channels = damage_classes.channels(kinds)
  mask = values[..., channels].max(-1, initial=0)
  if values.shape[2] == 4:
    if _is_hole(values):
      mask = 255 - values[..., 3]
      notices.append(
        f'of the mask {path} what is transparent is taken as the hole; to fill '
        'what is painted, save it as white on black'
      )
    else:
      mask = np.minimum(mask, values[..., 3])
  soft = np.mean((mask > 25) & (mask < 230))
  if soft > 0.02:
    notices.append(
      f'{soft:.0%} of the mask {path} are grey: cut at {threshold:g}'
    )
  if mask.shape != (height, width):
    rows, columns = mask.shape
    if abs(columns * height / (rows * width) - 1) > _ASPECT:
      raise BadInput(
        f'{path}: the mask is {columns} x {rows} px and the picture '
        f'{width} x {height} px: not the same picture'
      )
    notices.append(f'the mask {path} is {columns} x {rows} px: resized')
    mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
  hole = mask > 255 * threshold
  if hole.all():
    raise BadInput(
      f'{path}: the mask covers the whole picture, so nothing is '
      'left to fill from; is it inverted? white is what is filled'
    )
  if not hole.any():
    notices.append(f'the mask {path} is empty: nothing to fill')
  if hole.mean() > 0.7:
    notices.append(
      f'the mask {path} covers {hole.mean():.0%}; is it inverted? '
      'white is what is filled'
    )
  return hole, notices


def load_hints(
  path: str, height: int, width: int
) -> tuple[np.ndarray, list[str]]:
  """Loads hints for a picture of height x width px.

  Returns:
    u8[h, w, 4]: sRGB, and alpha 255 where a colour is given, else 0; as large
    as the file, or a smaller copy of it. And notices, one line each.

  Raises:
    BadInput: not a picture, without transparency, of another aspect ratio, or
      without colours.
  """
  try:
    with reader.open_picture(path) as picture:
      if not picture.has_alpha:
        raise BadInput(
          f'{path}: no transparency; hints are transparent but '
          'for strokes of colour'
        )
      size = picture.height, picture.width
      try:
        colorizer.check_shape(*size, height, width)
      except ValueError as error:
        raise BadInput(f'{path}: {error}') from error
      with vips.blame(path):
        hints = _shrunk(picture.screen(), max(1, min(size) // _ENOUGH))
  except reader.BadPicture as error:
    raise BadInput(str(error)) from error
  if not hints.any():
    raise BadInput(f'{path}: entirely transparent: it holds no colour')
  if size == (height, width):
    return hints, []
  return hints, [f'the hints {path} are {size[1]} x {size[0]} px: resized']


def _is_hole(values):
  """Whether u8[H, W, 4] is transparent where to fill, and not where not to.

  Strokes cover less than half of a picture and have few colours, but not black;
  a sheet, or a copy of the picture, is the opposite.
  """
  opaque = values[..., 3] >= 128
  painted = values[opaque][:, :3]
  if opaque.all() or not len(painted):
    return False
  colours = np.unique(painted >> 3, axis=0)
  return opaque.mean() > 0.5 or len(colours) > _OF_STROKES or not colours.any()


def _marks(kind):
  return f'-{kind}', f'_{kind}', f'.{kind}'


def _names(name, stem, kind):
  """Sets of names, without suffix; the first that exists counts."""
  second = [f'.{_SECOND[kind]}'] if kind in _SECOND else []
  for marks in (_marks(kind), second):
    for start in (name, stem):
      yield {start + mark for mark in marks}
  yield {stem}


def _shrunk(image, factor):
  """vips image of 8-bit RGBA -> u8[h, w, 4]; the thinnest stroke is kept."""
  there = (image[3] >= 128) / 255
  sums = (image.extract_band(0, n=3).bandjoin(255) * there).shrink(
    factor, factor
  )
  sums = sums.numpy()
  share = sums[..., 3:] / 255
  told = share > 0
  rgb = np.where(told, sums[..., :3] / np.where(told, share, 1), 0)
  return np.uint8(np.rint(np.concatenate([rgb, 255 * told], -1)))
