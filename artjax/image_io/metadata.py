"""Metadata of a picture file: everything that it holds besides pixels.

They are copied to the result byte for byte (metadata_writer.py), except those
that the result makes untrue: orientation, size, thumbnails.
"""

from collections.abc import Mapping
import dataclasses
import io
from typing import TYPE_CHECKING

import pyvips

from artjax.image_io import tiff_opening
from artjax.image_io import vips
from artjax.image_io.containers import jpeg
from artjax.image_io.containers import photoshop
from artjax.image_io.containers import png
from artjax.image_io.containers import tiff
from artjax.image_io.containers import webp
from artjax.image_io.containers import xmp

if TYPE_CHECKING:
  from artjax.image_io import reader

_PROFILE = 'icc-profile-data'
EXIF, XMP = b'Exif\0\0', b'http://ns.adobe.com/xap/1.0/\0'
MORE_XMP = b'http://ns.adobe.com/xmp/extension/\0'
RESOURCES = b'Photoshop 3.0\0'
_GAIN_MAP = b'urn:iso:std:iso:ts:21496:-1\0'
_NO_EXIF = b'II*\0\x08\0\0\0' + bytes(6)
XMP_KEYWORD = 'XML:com.adobe.xmp'
XMP_IN_JPEG = jpeg.MOST - len(XMP)  # bytes of a packet, at most
# Tags of TIFF that are not copied: they define how pixels are stored, or
# libvips writes them. All others are kept.
NOT_COPIED = {
  *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278),
  *(279, 280, 281, 284, 288, 289, 290, 291, 292, 293, 317, 320, 321, 322, 323),
  *(324, 325, 326, 327, 328, 330, 332, 334, 336, 338, 339, 340, 341, 343, 344),
  *(345, 346, 347, 351, 512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530),
  *(531, 532, 34675, 34665, 34853, 40965, 37724, 50838, 50839),
}
_RAW = range(50706, 51200)  # of DNG: how a camera's values become a picture
# Tags that an EXIF block can hold.
_IN_EXIF = {
  *(269, 270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 33432),
  *(18246, 18249, 40091, 40092, 40093, 40094, 40095),
}
_NAMES = {285: 'PageName', 297: 'PageNumber'}
# Tags that define the meaning of channels: curves, primaries, inks.
_OF_COLOURS = {301, 318, 319, 333, 337}
# Chunks of PNG that hold pixels, are rewritten, or would no longer be true.
_REMADE = {
  *(b'IHDR', b'PLTE', b'IDAT', b'IEND', b'tRNS', b'iCCP', b'hIST'),
  *(b'acTL', b'fcTL', b'fdAT', b'dSIG', b'caBX', b'eXIf'),
}
_DENSITY = (b'pHYs', jpeg.APP0)
_SAMPLES = {b'sBIT', b'bKGD'}  # true of samples as they are stored
COLOUR_CHUNKS = {b'gAMA', b'cHRM', b'sRGB', b'cICP', b'mDCV', b'cLLI'}


@dataclasses.dataclass
class Metadata:
  """The metadata of a file, besides its pixels and their profile.

  Attributes:
    format: of the file, from `formats.file_format`.
    exif: EXIF block, which is a TIFF structure.
    xmp: XMP packet.
    resources: of Photoshop, which contain IPTC.
    iptc: IPTC records, if they are stored separately.
    tags: of a TIFF file.
    native: the other blocks of a JPEG or PNG file.
    has_resolution: whether it states the physical size of the picture.
    lost: names of metadata that no result can keep.
  """

  format: str
  exif: bytes = b''
  xmp: bytes = b''
  resources: bytes = b''
  iptc: bytes = b''
  tags: tiff.Directory | None = None
  native: list = dataclasses.field(default_factory=list)
  has_resolution: bool = False
  lost: list[str] = dataclasses.field(default_factory=list)


# What cannot be kept where XMP has no room for one more event.
HISTORY = 'the history of this restoration'


def read(
  path: str, kind: str, image: pyvips.Image, page: int | None = None
) -> Metadata:
  """The metadata of a file; damaged parts are named in `lost`.

  Args:
    path: of the file.
    kind: its format.
    image: the file as libvips reads it.
    page: of a TIFF file, from 0; None = that of its first directory.
  """
  found = Metadata(kind)
  try:
    if kind == 'TIFF':
      _read_tiff(found, path, page)
    else:
      _READERS[kind](found, path, image)
  except (ValueError, OSError):
    found.lost.append('damaged metadata')
  return found


def exif_block(found: Metadata) -> tuple[bytes, list[str]]:
  """The EXIF block for results other than TIFF; names of tags left out."""
  if not found.tags:
    return found.exif, []
  tags = {t: v for t, v in found.tags.tags.items() if t in _IN_EXIF}
  lost = [
    _NAMES.get(tag, f'TIFF tag {tag}')
    for tag in sorted(set(found.tags.tags) - _IN_EXIF)
  ]
  if not tags and not found.tags.folders:
    return b'', lost
  return tiff.block(dataclasses.replace(found.tags, tags=tags)), lost


def attach(
  image: pyvips.Image,
  picture: 'reader.Picture',
  source: pyvips.Image,
  suffix: str,
) -> pyvips.Image:
  """A result with the resolution and profile of its source.

  Args:
    image: the pixels of the result.
    picture: the source of the result.
    source: the file of that picture, as libvips reads it.
    suffix: of the result.

  Returns:
    The image to be written.
  """
  grey = 'b-w' if picture.depth == 8 else 'grey16'
  rgb = 'srgb' if picture.depth == 8 else 'rgb16'
  image = image.copy(
    interpretation={1: grey, 3: rgb, 4: 'cmyk'}[picture.bands],
    xres=source.xres,
    yres=source.yres,
  )
  profile = vips.field(source, _PROFILE, b'')
  if picture.made_srgb:
    profile = pyvips.Image.profile_load('srgb')
  elif not picture.space.embedded:  # it does not fit, or there is none
    profile = b'' if suffix == '.png' else picture.space.stated
  if profile:
    image.set_type(pyvips.GValue.blob_type, _PROFILE, profile)
  return image


def attach_blocks(image: pyvips.Image, found: Metadata) -> pyvips.Image:
  """A result with XMP, and with room for EXIF, for formats of libheif."""
  image = image.copy()
  if exif_block(found)[0]:  # libvips writes one of its own, to be replaced
    image.set_type(pyvips.GValue.gint_type, 'orientation', 1)
    image.set_type(pyvips.GValue.blob_type, 'exif-data', EXIF + _NO_EXIF)
  if found.xmp:
    image.set_type(pyvips.GValue.blob_type, 'xmp-data', found.xmp)
  return image


def with_extras(found: Metadata, extras: tuple[int, ...]) -> Metadata:
  """With ExtraSamples, the meaning of channels beyond colour."""
  if found.tags and extras:
    order = found.tags.order
    found.tags.tags[tiff.EXTRA_SAMPLES] = tiff.shorts(order, extras)
  return found


def upright(found: Metadata, width: int, height: int) -> Metadata:
  """The metadata that are true for an upright result of a size in px."""
  exif = found.exif
  try:
    exif = tiff.upright(exif, width, height) if exif else b''
  except ValueError:
    exif = b''
    found.lost.append('damaged EXIF')
  turned = found.format in ('HEIF', 'JPEG XL') or _says_orientation(found)
  packet = xmp.upright(found.xmp, width, height, turned)
  if found.tags:
    sizes = found.tags.folders.get(tiff.EXIF, {})
    for tag, number in ((40962, width), (40963, height)):
      if tag in sizes:
        sizes[tag] = tiff.whole(found.tags.order, number)
  return dataclasses.replace(found, exif=exif, xmp=packet)


def without_colour(found: Metadata) -> Metadata:
  """Without metadata on colours, for a result with other colours."""
  drop = COLOUR_CHUNKS | _SAMPLES
  native = [b for b in found.native if b[0] not in drop]
  tags = found.tags and dataclasses.replace(
    found.tags,
    tags={t: v for t, v in found.tags.tags.items() if t not in _OF_COLOURS},
  )
  return dataclasses.replace(found, native=native, tags=tags)


def with_event(
  found: Metadata, event: Mapping[str, str], most: int | None = None
) -> Metadata:
  """With one more event in the history of its XMP, see `xmp.with_event`.

  Args:
    found: the metadata to write.
    event: {field: text}.
    most: maximum number of bytes of XMP in the format; None = no limit.
  """
  try:
    packet = xmp.with_event(found.xmp, event)
  except ValueError:
    packet = b''
  if not packet or (most is not None and len(packet) > most):
    lost = [*found.lost, HISTORY]
    return dataclasses.replace(found, lost=lost)
  return dataclasses.replace(found, xmp=packet)


def _says_orientation(found):
  tags = found.tags.tags if found.tags else {}
  if found.exif:
    tags = tiff.read(io.BytesIO(found.exif)).tags
  return tiff.ORIENTATION in tags


def stripped(found: Metadata) -> Metadata:
  """Only the metadata that define colours, and the resolution."""
  native = [b for b in found.native if b[0] in {*COLOUR_CHUNKS, *_DENSITY}]
  tags = found.tags and tiff.Directory(
    found.tags.order,
    {t: v for t, v in found.tags.tags.items() if t in tiff.RESOLUTION},
    {},
  )
  return Metadata(
    found.format, tags=tags, native=native, has_resolution=found.has_resolution
  )


# Readers: of one format each.


def _read_jpeg(found, path, image):
  del image
  resources = []
  for segment in jpeg.read(path):
    marker, payload = segment
    if marker == jpeg.APP1 and payload.startswith(EXIF) and not found.exif:
      found.exif = payload[len(EXIF) :]
    elif marker == jpeg.APP1 and payload.startswith(XMP) and not found.xmp:
      found.xmp = payload[len(XMP) :]
    elif marker == jpeg.APP13 and payload.startswith(RESOURCES):
      resources.append(payload[len(RESOURCES) :])
    elif marker == jpeg.APP0 and payload.startswith(b'JFIF\0'):
      found.native.append(segment._replace(payload=payload[:12] + b'\0\0'))
      found.has_resolution = payload[7] in (1, 2)
    elif marker == jpeg.APP2 and payload.startswith(b'MPF\0'):
      found.lost.append('its further pictures (MPF, such as a gain map)')
    elif marker == jpeg.APP2 and payload.startswith(_GAIN_MAP):
      found.lost.append('the gain map (HDR)')
    elif marker == jpeg.APP11:
      found.lost.append('content credentials (JUMBF)')
    elif (
      jpeg.APP0 < marker < 0xF0
      and marker != jpeg.APP14
      and not payload.startswith(b'ICC_PROFILE\0')
    ) or marker == jpeg.COM:
      found.native.append(segment)
  found.resources = photoshop.without_thumbnails(b''.join(resources))
  _check_exif(found)
  if xmp.tells_of_gain_map(found.xmp):
    found.xmp = xmp.without_gain_map(found.xmp)
    found.lost.append('the gain map (HDR)')
  end = jpeg.end(path)
  if end and not found.lost and jpeg.follows(path, end):
    found.lost.append('what follows it in its file, such as a video')


def _read_png(found, path, image):
  del image
  chunks = png.read(path)
  types = {chunk.type for chunk in chunks}
  # A palette, hidden colours and few bits are not stored as such.
  expanded = bool(types & {b'PLTE', b'tRNS'}) or chunks[0].data[8:9] < b'\x08'
  for chunk in chunks:
    if chunk.type in _SAMPLES and expanded:
      found.lost.append(f'PNG chunk {chunk.type.decode()}')
      continue
    text = png.text(chunk) if chunk.type == b'iTXt' else None
    if text and text[0] == XMP_KEYWORD:
      found.xmp = text[1].encode()
    elif chunk.type == b'eXIf':
      found.exif = chunk.data.removeprefix(EXIF)
    elif chunk.type == b'caBX':
      found.lost.append('content credentials (JUMBF)')
    elif chunk.type in _REMADE:
      pass
    elif png.may_be_copied(chunk):
      found.native.append(chunk)
      if chunk.type == b'pHYs':
        found.has_resolution = chunk.data[8:9] == b'\1'
    else:
      found.lost.append(f'PNG chunk {chunk.type.decode("latin-1")!r}')
  _check_exif(found)


def _read_webp(found, path, image):
  del image
  chunks = webp.read(path)
  found.exif = chunks.get(webp.EXIF, b'').removeprefix(EXIF)
  found.xmp = chunks.get(webp.XMP, b'')
  _check_exif(found)


def _read_tiff(found, path, page):
  number = 0 if page is None else tiff_opening.number_of(path, page)
  with open(path, 'rb') as file:
    directory = tiff.read(file, number)
  found.has_resolution = directory.number(296, 2) > 1 and 282 in directory.tags
  take = lambda tag: (
    directory.tags.pop(tag).data if tag in directory.tags else b''
  )
  found.xmp, found.iptc = take(tiff.XMP), take(tiff.IPTC)
  found.resources = photoshop.without_thumbnails(take(tiff.PHOTOSHOP))
  if 37724 in directory.tags:
    found.lost.append('the layers of Photoshop')
  if tiff.ORIENTATION in directory.tags:  # pixels are upright
    directory.tags[tiff.ORIENTATION] = tiff.shorts(directory.order, [1])
  if any(tag in _RAW for tag in directory.tags):
    found.lost.append('tags of DNG')
  for tag in list(directory.tags):
    if tag in NOT_COPIED or tag in _RAW:
      del directory.tags[tag]
  found.tags = directory


def _read_fields(found, path, image):
  del path
  found.exif = vips.field(image, 'exif-data', b'').removeprefix(EXIF)
  found.xmp = vips.field(image, 'xmp-data', b'')
  _check_exif(found)


def _check_exif(found):
  """Drops a block that cannot be read; sets `has_resolution` from others."""
  if not found.exif:
    return
  try:
    directory = tiff.read(io.BytesIO(found.exif))
  except ValueError:
    found.exif = b''
    found.lost.append('damaged EXIF')
    return
  if directory.number(296, 2) > 1 and 282 in directory.tags:
    found.has_resolution = True


_READERS = {
  'JPEG': _read_jpeg,
  'PNG': _read_png,
  'WebP': _read_webp,
  **dict.fromkeys(('HEIF', 'GIF', 'BMP', 'JPEG 2000', 'JPEG XL'), _read_fields),
}
