"""What a file says about its picture goes into the result.

libvips carries most of it in the fields of an image; tiff_tags.py copies what
it reads past in a TIFF file.
"""

from typing import TYPE_CHECKING

import pyvips

if TYPE_CHECKING:
  from artjax.image_io import reader

# What libvips itself sets of a picture it makes, and what is true of the
# source's pixels only.
_OWN_FIELDS = {
  'width',
  'height',
  'bands',
  'format',
  'coding',
  'interpretation',
  'xoffset',
  'yoffset',
  'xres',
  'yres',
  'filename',
  'vips-loader',
  'vips-sequential',
  'n-pages',
  'page-height',
  'orientation',
  'bits-per-sample',
  'palette',
  'palette-bit-depth',
  'interlaced',
  'n-subifds',
  'heif-primary',
  'heif-compression',
  'heif-bitdepth',
  'jpeg-multiscan',
  'loop',
  'delay',
  'gif-delay',
  'gif-loop',
  'jpeg-chroma-subsample',
  'jpeg-thumbnail-data',
  'background',
  'concurrency',
  'exif-ifd0-Orientation',
}
_PROFILE = 'icc-profile-data'


def attach(
  image: pyvips.Image, picture: 'reader.Picture', source: pyvips.Image
) -> pyvips.Image:
  """A result with the metadata, resolution and profile of its source.

  Args:
    image: the pixels of the result.
    picture: what the result was made of.
    source: the file of that picture, as libvips reads it.

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
  for name in source.get_fields():
    if name not in _OWN_FIELDS:
      image.set_type(source.get_typeof(name), name, source.get(name))
  if not picture.space.embedded and _PROFILE in image.get_fields():
    image.remove(_PROFILE)  # it does not fit
  if picture.made_srgb:
    srgb = pyvips.Image.profile_load('srgb')
    image.set_type(pyvips.GValue.blob_type, _PROFILE, srgb)
  return image
