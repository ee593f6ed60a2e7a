"""Picture files of every mode, and their way through artjax/image_io."""

import struct
import zlib

import numpy as np
import pyvips

from artjax.image_io import reader
from artjax.image_io import vips

MODES = ['grey', 'rgb', 'greya', 'rgba', 'cmyk']


def smooth(height, width, bands, depth, seed=0):
  """A smooth picture of every tone, u8 or u16 [height, width, bands]."""
  y, x = np.mgrid[:height, :width] / max(height, width)
  phase = np.arange(bands) + seed
  image = 0.5 + 0.45 * np.sin(7 * x[..., None] + 5 * y[..., None] * phase)
  full = 255 if depth == 8 else 65535
  return np.rint(image * full).astype(np.uint8 if depth == 8 else np.uint16)


def profile(name):
  """Bytes of one of libvips' own colour profiles."""
  image = pyvips.Image.black(1, 1, bands=3).copy(interpretation='srgb')
  return image.icc_transform(name, input_profile='srgb').get('icc-profile-data')


def made(array, icc=None):
  depth16, bands = array.dtype == np.uint16, array.shape[2]
  if bands < 3:
    space = 'grey16' if depth16 else 'b-w'
  else:
    space = 'rgb16' if depth16 else 'srgb'
  image = vips.image(array).copy(interpretation=space)
  if icc:
    image.set_type(pyvips.GValue.blob_type, 'icc-profile-data', icc)
  return image


def written(path, mode='rgb', depth=8, icc=None, height=40, width=56):
  """A file of one mode; its values."""
  bands = {'grey': 1, 'rgb': 3, 'greya': 2, 'rgba': 4, 'cmyk': 4}[mode]
  values = smooth(height, width, bands, depth)
  if mode.endswith('a'):
    values[:5, :, -1] = 0  # a transparent border
  image = made(values, icc)
  if mode == 'cmyk':
    image = image.copy(interpretation='cmyk')
  image.write_to_file(str(path))
  return values


def read(path):
  # libvips would remember an earlier file of this name.
  return pyvips.Image.new_from_file(str(path), revalidate=True)


def pixels(path):
  image = read(path)
  return image.numpy().reshape(image.height, image.width, image.bands)


def restored(source, target, change=lambda rgb: rgb, scale=1, **options):
  """Through `change` and back into a file; the opened picture's notices."""
  with reader.open_picture(source) as picture:
    rgb = change(picture.read(0, 0, picture.height, picture.width))
    with picture.writer(target, scale=scale, **options) as writer:
      for top in range(0, len(rgb), 17):
        writer.write(picture.merge(top, rgb[top : top + 17], scale)[0])
    return picture.notices


def png_chunk(kind, data):
  return (
    struct.pack('>I', len(data))
    + kind
    + data
    + struct.pack('>I', zlib.crc32(kind + data))
  )
