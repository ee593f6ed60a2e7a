"""Second pass: cuts a picture into the sub-images of the dataset.

This runs in the worker processes of dataset.py, so it imports nothing heavy.
Windows are those of BasicSR (https://github.com/XPixelGroup/BasicSR), copies at
several scales those of Real-ESRGAN (https://arxiv.org/abs/2107.10833), but
shrunk by averaging areas.
"""

from collections.abc import Iterator
import dataclasses
import hashlib
import io
import json
from typing import Any
import zipfile

import cv2
import numpy as np

from artjax import atomic_files
from artjax.data.sources import decode
from artjax.data.sources import scan

_SUMMARY = 'summary.json'  # in a part, beside the sub-images


@dataclasses.dataclass(frozen=True)
class Settings:
  """How pictures are cut. Raises ValueError naming a field out of range.

  Attributes:
    crop: side of a sub-image, px; a shorter side of a picture is kept whole.
    step: px from one window to the next.
    threshold: px left over at the border that are not worth a window of their
      own, which would be flush with it.
    scales: in (0, 1), of further copies of the picture.
    shortest: the shorter side of one more copy, px; 0 = none. Pictures are
      never enlarged.
    min_size: a picture with a shorter side below this is refused, px; a copy is
      left out.
    min_std: sub-images whose luma has a lower standard deviation, in 0-255, are
      dropped as flat.
  """

  crop: int = 480
  step: int = 240
  threshold: int = 0
  scales: tuple = ()
  shortest: int = 0
  min_size: int = 32
  min_std: float = 0.0

  def __post_init__(self):
    # 0 and 0.0 are one setting, also where settings are compared as text.
    object.__setattr__(self, 'min_std', float(self.min_std))
    object.__setattr__(self, 'scales', tuple(map(float, self.scales)))
    for name, least in (
      ('crop', 1),
      ('step', 1),
      ('threshold', 0),
      ('shortest', 0),
      ('min_size', 1),
      ('min_std', 0),
    ):
      if not getattr(self, name) >= least:  # nor NaN
        raise ValueError(f'{name}={getattr(self, name)} is less than {least}')
    if self.min_size > self.crop:
      raise ValueError(
        f'min_size={self.min_size} is more than '
        f'crop={self.crop}: no sub-image would be large enough'
      )
    if self.step > self.crop:
      raise ValueError(
        f'step={self.step} is more than crop={self.crop}: what '
        'lies between two windows would be lost'
      )
    for scale in self.scales:
      if not 0 < scale < 1:
        raise ValueError(f'scales: {scale:g} is not between 0 and 1')
    if len(set(self.scales)) < len(self.scales):
      raise ValueError('scales: one is given twice')


def cut(
  picture: np.ndarray, settings: Settings
) -> tuple[list[tuple[str, np.ndarray]], int]:
  """The sub-images of a picture.

  Args:
    picture: u8[H, W, 3], RGB.
    settings: `Settings`.

  Returns:
    List of (label, u8[h, w, 3]), h and w at most settings.crop, and the number
    of flat ones that were dropped. A label is SCALE+LEFT+TOP, of the copy and
    of the window in it, px, and the name of one sub-image of the picture.
  """
  kept, dropped = [], 0
  for scale, copy in _copies(picture, settings):
    height, width = copy.shape[:2]
    for top in _offsets(height, settings):
      for left in _offsets(width, settings):
        window = copy[top : top + settings.crop, left : left + settings.crop]
        if _luma_std(window) < settings.min_std:
          dropped += 1
        else:
          kept.append((f'{scale}+{left}+{top}', window))
  return kept, dropped


def _copies(picture, settings):
  """(label, picture) of the picture and its smaller copies."""
  shorter = min(picture.shape[:2])
  scales = {f'{scale:g}': scale for scale in settings.scales}
  if 0 < settings.shortest < shorter:
    scales[f'{settings.shortest}px'] = settings.shortest / shorter
  yield '1', picture
  for label, scale in scales.items():
    height, width = (round(side * scale) for side in picture.shape[:2])
    if min(height, width) >= settings.min_size:
      yield (
        label,
        cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA),
      )


def _offsets(side, settings):
  """Where windows begin along a side of a picture, px."""
  crop = settings.crop
  if side <= crop:
    return [0]
  offsets = list(range(0, side - crop + 1, settings.step))
  if side - crop - offsets[-1] > settings.threshold:
    offsets.append(side - crop)
  return offsets


def _luma_std(picture):
  return cv2.meanStdDev(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))[1][0, 0]


# Parts: files that each hold all the sub-images of one picture.


def cut_file(path: str, digest: bytes, part: str, settings: Settings) -> None:
  """Writes the sub-images of a picture file to `part`, whole or not at all.

  Args:
    path: of the picture.
    digest: SHA-256 that its content had when the pictures were listed.
    part: file to write. One that cannot be used has a part too, with the reason
      in it, and so is not tried again.
    settings: `Settings`.

  Raises:
    ValueError: the content is no longer that of the digest.
    OSError: the file cannot be read, or the part not be written.
  """
  data = scan.read_file(path)
  if hashlib.sha256(data).digest() != digest:
    raise ValueError(f'{path} changed meanwhile; run the same command again')
  kept: list[tuple[str, np.ndarray]] = []
  dropped, reason = 0, ''
  try:
    picture = decode.decode(data)
    if min(picture.shape[:2]) < settings.min_size:
      raise decode.Unreadable(
        f'too small: {picture.shape[1]} x {picture.shape[0]} px, '
        f'min_size is {settings.min_size}'
      )
    kept, dropped = cut(picture, settings)
  except decode.Unreadable as error:
    reason = str(error)
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, 'w') as archive:  # PNGs are compressed already
    archive.writestr(
      _SUMMARY,
      json.dumps({'reason': reason, 'kept': len(kept), 'dropped': dropped}),
    )
    for label, window in kept:
      archive.writestr(label, atomic_files.encode(window, '.png'))
  atomic_files.write_bytes(part, buffer.getvalue())


def read_summary(part: str) -> dict[str, Any]:
  """{'reason': '' or why not, 'kept': number, 'dropped': number} of a part."""
  with zipfile.ZipFile(part) as archive:
    return json.loads(archive.read(_SUMMARY))


def read_part(part: str) -> Iterator[tuple[str, bytes]]:
  """Yields (label, bytes of a PNG file) of a part."""
  with zipfile.ZipFile(part) as archive:
    for label in archive.namelist():
      if label != _SUMMARY:
        yield label, archive.read(label)


def start_worker() -> None:
  """Prepares a worker process; to be called first in it."""
  cv2.setNumThreads(0)  # processes are the parallelism
