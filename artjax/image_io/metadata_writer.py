"""Writes the metadata of a source into the file of its result.

libvips writes pixels, profile and resolution; everything else is copied here
into the blocks of the result's format. Metadata that this format cannot hold
are named to the user.
"""

import dataclasses
import io
import os

from artjax.image_io import metadata
from artjax.image_io.containers import avif
from artjax.image_io.containers import jpeg
from artjax.image_io.containers import photoshop
from artjax.image_io.containers import png
from artjax.image_io.containers import tiff
from artjax.image_io.containers import webp


def write(path: str, suffix: str, found: metadata.Metadata) -> list[str]:
  """Puts metadata into a written file.

  Args:
    path: of the file, not yet under its final name.
    suffix: of its final name.
    found: the metadata, after `metadata.upright`.

    Returns:
      Names of metadata that this format cannot hold.
  """
  lost, other = list(found.lost), f'{path}.part'
  try:
    lost += _WRITERS[suffix](path, other, found)
    if os.path.exists(other):
      os.replace(other, path)
  except ValueError:  # the picture is worth more than what is said of it
    lost.append('its metadata, which are damaged')
  finally:
    if os.path.exists(other):
      os.remove(other)
  return list(dict.fromkeys(lost))


# Writers: into one format each; they return what it cannot hold.


def _write_jpeg(path, other, found):
  same, lost, add = found.format == 'JPEG', [], []
  block, lost_tags = metadata.exif_block(found)
  for start, data, name in (
    (metadata.EXIF, block, 'EXIF'),
    (metadata.XMP, found.xmp, 'XMP'),
  ):
    if len(start + data) > jpeg.MOST:
      lost.append(f'{name} (more than 64 KiB)')
    elif data:
      add.append(jpeg.Segment(jpeg.APP1, start + data))
  resources, room = _resources(found), jpeg.MOST - len(metadata.RESOURCES)
  for i in range(0, len(resources), room):
    part = resources[i : i + room]
    add.append(jpeg.Segment(jpeg.APP13, metadata.RESOURCES + part))
  head = []
  if same:
    head = [s for s in found.native if s.marker == jpeg.APP0]
    add += [s for s in found.native if s.marker != jpeg.APP0]
  elif not found.has_resolution:
    head = [jpeg.Segment(jpeg.APP0, b'JFIF\0\1\1\0\0\1\0\1\0\0')]
  keep = lambda s: (
    s.marker not in (jpeg.APP1, jpeg.APP13, jpeg.COM)
    and (s.marker != jpeg.APP0 or (not same and found.has_resolution))
  )
  jpeg.rewrite(path, other, keep, [*head, *add])
  return lost + lost_tags + ([] if same else _native_names(found))


def _write_png(path, other, found):
  same, add = found.format == 'PNG', []
  block, lost = metadata.exif_block(found)
  if same:
    add += found.native
  if block:
    add.append(png.Chunk(b'eXIf', block))
  if found.xmp:
    add.append(png.text_chunk(metadata.XMP_KEYWORD, found.xmp))
  resources = _resources(found)
  if resources:  # as ImageMagick writes it, for PNG has no place for it
    dump = f'\n8bim\n{len(resources):8}\n{resources.hex()}\n'
    keyword = 'Raw profile type 8bim'
    add.append(png.Chunk(b'tEXt', f'{keyword}\0{dump}'.encode()))
  drop = {b'eXIf', b'tEXt', b'zTXt', b'iTXt', b'bKGD', b'sBIT', b'tIME'}
  if same or not found.has_resolution:
    drop.add(b'pHYs')
  png.rewrite(path, other, lambda chunk: chunk.type not in drop, add)
  return lost + ([] if same else _native_names(found))


def _write_webp(path, other, found):
  block, lost = metadata.exif_block(found)
  chunks = {webp.EXIF: block, webp.XMP: found.xmp}
  add = {name: data for name, data in chunks.items() if data}
  if add:
    webp.rewrite(path, other, add)
  return lost + _beyond_exif(found) + _native_names(found)


def _write_tiff(path, other, found):
  del other
  if found.tags:
    directory = dataclasses.replace(found.tags, tags=dict(found.tags.tags))
    remove = {tiff.ORIENTATION, *tiff.RESOLUTION}
  else:
    directory = tiff.Directory('<', {}, {})
    if found.exif:
      directory = tiff.read(io.BytesIO(found.exif))
    for tag in {*metadata.NOT_COPIED, tiff.ORIENTATION} & set(directory.tags):
      del directory.tags[tag]
    remove = set() if found.has_resolution else set(tiff.RESOLUTION)
  for tag, data in (
    (tiff.XMP, found.xmp),
    (tiff.IPTC, found.iptc or photoshop.iptc(found.resources)),
    (tiff.PHOTOSHOP, found.resources),
  ):
    if data:
      directory.tags[tag] = tiff.Value(1 if tag == 700 else 7, len(data), data)
  tiff.update(path, directory, remove)
  return [] if found.tags else _native_names(found)


def _write_avif(path, other, found):
  del other
  block, lost = metadata.exif_block(found)
  if block:
    avif.set_exif(path, block)
  return lost + _beyond_exif(found) + _native_names(found)


_WRITERS = {
  '.jpg': _write_jpeg,
  '.png': _write_png,
  '.webp': _write_webp,
  '.tif': _write_tiff,
  '.avif': _write_avif,
}


def _resources(found):
  """Photoshop resources that contain all IPTC."""
  if not found.iptc or photoshop.iptc(found.resources):
    return found.resources
  item = photoshop.IPTC, b'', found.iptc
  return photoshop.pack([*photoshop.resources(found.resources), item])


def _beyond_exif(found):
  """Names of metadata that EXIF and XMP do not contain."""
  return ['IPTC and resources of Photoshop'] if _resources(found) else []


def _native_names(found):
  """Names of the blocks that exist only in the format of the source."""
  lost = []
  for block in found.native:
    if isinstance(block, png.Chunk):
      text = png.text(block)
      if text:
        lost.append(f'text {text[0]!r}')
      elif block.type not in metadata.COLOUR_CHUNKS | {b'pHYs', b'tIME'}:
        lost.append(f'PNG chunk {block.type.decode("latin-1")}')
    elif block.payload.startswith(metadata.MORE_XMP):
      lost.append('extended XMP')
    elif block.marker == jpeg.COM:
      lost.append('the comment')
    elif block.marker != jpeg.APP0:
      lost.append(f'JPEG segment APP{block.marker - jpeg.APP0}')
  return lost
