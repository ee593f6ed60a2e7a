"""JPEG results coded like their sources.

With the same quantization tables and the same subsampling, unchanged pixels are
rounded to the values they had, so most of them stay the same. libvips accepts
no tables, so Pillow writes these files.
"""

import io

from PIL import Image
import pyvips

from artjax.image_io.containers import jpeg

_MODES = {1: 'L', 3: 'RGB'}
# What Pillow calls the sampling factors of three components.
_SUBSAMPLING: dict[tuple[tuple[int, int], ...], int] = {
  ((1, 1), (1, 1), (1, 1)): 0,
  ((2, 1), (1, 1), (1, 1)): 1,
  ((2, 2), (1, 1), (1, 1)): 2,
}
_MOST = 50_000_000  # px: Pillow holds a whole picture, 4 bytes a pixel
# Mean step of a luma table: that of quality 90 of the Independent JPEG Group is
# 11.5. What is coarser would put back the blocks that a network has removed.
_FINE = 12.0


def of_source(path: str, mostly_unchanged: bool) -> jpeg.Coding | None:
  """The coding of a JPEG file, if a result should have it too.

  Args:
    path: of the source.
    mostly_unchanged: whether most of the result equals the source; otherwise
      the coding is only used if its quality is at least 90.

  Returns:
    The coding, or None. Also None for what Pillow cannot write: CMYK, and
    subsampling other than 4:4:4, 4:2:2 or 4:2:0.
  """
  try:
    coding = jpeg.coding(path)
  except ValueError:
    return None
  colours = len(coding.sampling)
  if colours == 3 and tuple(coding.sampling) not in _SUBSAMPLING:
    return None
  if colours not in _MODES or max(map(max, coding.tables)) > 255:
    return None
  if not mostly_unchanged and sum(coding.tables[0]) / 64 > _FINE:
    return None
  return coding


def fits(image: pyvips.Image, coding: jpeg.Coding) -> bool:
  """Whether an image can be written with this coding."""
  return (
    image.format == 'uchar'
    and image.bands == len(coding.sampling)
    and image.width * image.height <= _MOST
  )


def save(image: pyvips.Image, path: str, coding: jpeg.Coding) -> None:
  """Writes an image, with its profile, that `fits`.

  Raises:
    OSError: it cannot be written.
  """
  profile = None
  if 'icc-profile-data' in image.get_fields():
    profile = image.get('icc-profile-data')
  size = image.width, image.height
  pixels = Image.frombytes(_MODES[image.bands], size, image.write_to_memory())
  data = io.BytesIO()
  pixels.save(
    data,
    'JPEG',
    qtables=coding.tables,
    subsampling=_SUBSAMPLING.get(tuple(coding.sampling), 0),
    icc_profile=profile,
  )
  with open(path, 'wb') as file:
    file.write(data.getbuffer())
