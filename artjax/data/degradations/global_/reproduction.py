"""What a file, a print or a scanner makes of a picture."""

import cv2

from artjax.data.degradations.decorators import as_float
from artjax.data.degradations.decorators import tonal


@tonal
def jpeg(image, severity, rng, *, quality=15, subsampling=None):
  """JPEG of as low a `quality` as that, from 100 down.

  Args:
    image: f32[H, W, 3].
    severity: in [0, 1].
    rng: the Generator.
    quality: at severity 1, of 100.
    subsampling: of colour: '420', '422' or '444'; None for any.
  """
  level = round(100 - severity * rng.uniform(0.4, 1) * (100 - quality))
  kinds = ('420', '422', '444')
  kind = (
    kinds[(0, 0, 1, 2)[rng.integers(4)]]
    if subsampling is None
    else (str(subsampling))
  )
  if kind not in kinds:
    raise ValueError(f'subsampling must be one of {kinds}, got {subsampling!r}')
  factor = getattr(cv2, f'IMWRITE_JPEG_SAMPLING_FACTOR_{kind}')
  pixels = cv2.convertScaleAbs(image, alpha=255)
  # OpenCV takes channels as BGR, and JPEG keeps blue worse than red.
  _, data = cv2.imencode(
    '.jpg',
    cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR),
    [cv2.IMWRITE_JPEG_QUALITY, level, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor],
  )
  pixels = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
  return as_float(pixels)
