"""Writes picture files completely or not at all."""

from collections.abc import Callable, Mapping
import contextlib
import os
from typing import Any, TYPE_CHECKING

import numpy as np
import pyvips

from artjax import atomic_files
from artjax.image_io import formats
from artjax.image_io import jpeg_blocks
from artjax.image_io import jpeg_coding
from artjax.image_io import metadata
from artjax.image_io import metadata_writer
from artjax.image_io import vips
from artjax.image_io.containers import jpeg

if TYPE_CHECKING:
  from artjax.image_io import reader

_EXIF, _XMP, _ICC = 1, 2, 8  # what libvips writes of an image's fields
# What is to be said of a result that is not lossless.
LOSSY = (
  'JPEG and most AVIF and WebP files are encoded again, which changes pixels a '
  'little, also where nothing was restored; --format=tif or png avoids that'
)
# Instead, of a JPEG file whose unchanged blocks were kept.
LOSSY_IN_PART = (
  'JPEG: blocks in which nothing was restored are unchanged, the others are '
  'encoded again, which changes pixels slightly; --format=tif or png avoids '
  'that'
)
_IN_MEMORY = 64 << 20  # results beyond this many bytes are kept on disk


class Writer:
  """Writes the rows of a result to a file, completely or not at all.

  A context manager: `write` arrays from top to bottom within it. The file
  appears under its name only if the block ends without an error.

  Attributes:
    lossy: whether the values in the file may differ from those written.
    says_history: whether the file that was written holds the event.
    kept_blocks: share of JPEG blocks that are those of the source; None if it
      is not known, and none need be.
  """

  def __init__(
    self,
    picture: 'reader.Picture',
    path: str | os.PathLike,
    scale: int,
    strip_metadata: bool,
    event: Mapping[str, str] | None,
    finish: Callable[[str], None],
    mostly_unchanged: bool,
  ):
    self._picture = picture
    self._event, self._finish = event, finish
    self._path = os.fspath(path)
    self._mostly_unchanged = mostly_unchanged
    suffix = formats.suffix_of(self._path)
    self.lossy = formats.is_lossy(picture.path, picture.kind, suffix)
    bands = picture.bands + picture.has_alpha + len(picture.extras)
    self._shape = picture.height * scale, picture.width * scale, bands
    self._dtype = np.uint8 if picture.depth == 8 else np.uint16
    self._strip_metadata = strip_metadata
    size = np.prod(self._shape, dtype=np.int64) * np.dtype(self._dtype).itemsize
    raw = atomic_files.part_of(self._path, '.raw')
    self._raw = raw if size > _IN_MEMORY else None
    self._rows: Any = None  # an array, or a file
    self._done = 0
    self.says_history = False
    self.kept_blocks: float | None = None

  def __enter__(self) -> 'Writer':
    with vips.blame_writing(self._path):
      os.makedirs(os.path.dirname(self._path) or '.', exist_ok=True)
      self._rows = (
        open(self._raw, 'wb')
        if self._raw
        else np.empty(self._shape, self._dtype)
      )
    return self

  def write(self, values: np.ndarray) -> None:
    """Writes the next rows, u8 or u16 [rows, W, channels] from `Picture.merge`.

    Raises:
      vips.BadPicture: the disk is full.
    """
    with vips.blame_writing(self._path):
      if self._raw:
        self._rows.write(np.ascontiguousarray(values).data)
      else:
        self._rows[self._done : self._done + len(values)] = values
    self._done += len(values)

  def __exit__(self, kind, error, trace):
    try:
      if self._raw:
        with vips.blame_writing(self._path):
          self._rows.close()  # which may still write
      if kind is None:
        if self._done != self._shape[0]:
          raise RuntimeError(f'{self._done} of {self._shape[0]} rows written')
        self._save()
    finally:
      if self._raw:
        _remove(self._raw)

  def _save(self):
    height, width, bands = self._shape
    if self._raw:
      image = pyvips.Image.rawload(
        vips.file_name(self._raw),
        width,
        height,
        bands,
        format='uchar' if self._dtype == np.uint8 else 'ushort',
      )
    else:
      image = vips.image(self._rows)
    picture, suffix = self._picture, formats.suffix_of(self._path)
    lost = []
    if picture.extras and suffix != '.tif':
      image = image.extract_band(0, n=picture.bands + picture.has_alpha)
      lost.append(f'{len(picture.extras)} more channel(s)')
    if picture.depth == 16 and suffix in ('.jpg', '.webp'):
      lost.append('16 bits a channel')
    if picture.depth == 16 and suffix == '.avif' and picture.kind != 'HEIF':
      lost.append('16 bits a channel (AVIF has 12)')
    if picture.has_alpha and suffix == '.jpg':
      lost.append('transparency')
    if picture.space.stated and suffix != '.png':
      picture.notices.append('its colours are written as an ICC profile')
    image = picture.describe(image, suffix)
    found = picture.metadata(width, height, self._strip_metadata)
    if self._event:
      most = metadata.XMP_IN_JPEG if suffix == '.jpg' else None
      found = metadata.with_event(found, self._event, most)
    if suffix == '.avif':
      image = metadata.attach_blocks(image, found)

    coding = self._coding(suffix)

    def finish(part):
      if self._may_keep_blocks(coding, image):
        self.kept_blocks = jpeg_blocks.keep(
          part, picture.path, image, picture.native
        )
      lost.extend(metadata_writer.write(part, suffix, found))
      picture.check_unchanged()
      self._finish(part)

    save(
      image,
      self._path,
      more=formats.like(picture.path, picture.kind, suffix),
      coding=coding,
      finish=finish,
    )
    self.says_history = bool(self._event) and metadata.HISTORY not in lost
    if lost:
      picture.notices.append(f'the result does not hold: {", ".join(lost)}')

  def _coding(self, suffix):
    if (self._picture.kind, suffix) != ('JPEG', '.jpg'):
      return None
    return jpeg_coding.of_source(self._picture.path, self._mostly_unchanged)

  def _may_keep_blocks(self, coding, image):
    return (
      coding is not None
      and jpeg_coding.fits(image, coding)
      and self._picture.is_stored_upright
      and image.width == self._picture.width
      and jpeg_blocks.available()
    )


def save_grey(levels: np.ndarray, path: str) -> None:
  """Writes u8[H, W] as a grey picture, atomically.

  Raises:
    vips.BadPicture: no such format, or it cannot be written.
  """
  save(vips.image(levels[..., None]).copy(interpretation='b-w'), path)


def save(
  image: pyvips.Image,
  path: str,
  *,
  more: dict[str, Any] | None = None,
  coding: jpeg.Coding | None = None,
  finish: Callable[[str], None] = lambda part: None,
) -> None:
  """Writes a vips image atomically, in the format of the suffix.

  Args:
    image: the image, with its profile, EXIF and XMP.
    path: of the file.
    more: options of libvips in addition to those of the format.
    coding: of a JPEG file, if it can have that.
    finish: called with the path of the written file, before it is renamed.

  Raises:
    vips.DiskFull: the disk is full.
    vips.BadPicture: no such format, or it cannot be written.
  """
  method, options = formats.saver(path)
  options = {**options, **(more or {}), 'keep': _ICC}
  for name, flag in (('exif-data', _EXIF), ('xmp-data', _XMP)):
    if name in image.get_fields():
      options['keep'] |= flag
  if formats.suffix_of(path) == '.tif' and (
    image.width * image.height * image.bands > 2**30
  ):
    options['bigtiff'] = True
  part = atomic_files.part_of(path)
  try:
    with vips.blame_writing(path):
      os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
      if coding is not None and jpeg_coding.fits(image, coding):
        jpeg_coding.save(image, part, coding)
      else:
        getattr(image, method)(vips.file_name(part), **options)
      finish(part)
      os.replace(part, path)
  finally:
    _remove(part)


def _remove(path):
  with contextlib.suppress(FileNotFoundError, NotADirectoryError):
    os.remove(path)
