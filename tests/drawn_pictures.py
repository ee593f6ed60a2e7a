"""Pictures that tests draw, and what is known of them."""

import cv2
import numpy as np

from artjax.data import examples


def places(height=50, width=70, masks=True):
  """Pixels that tell where they come from: (row, column, 7)."""
  rows, columns = np.mgrid[:height, :width].astype(np.uint8)
  image = np.stack([rows, columns, np.full_like(rows, 7)], -1)
  example = {'name': 'x', 'image': image, 'target': image.copy()}
  if masks:
    example['mask'] = np.where(image % 3 == 0, np.uint8(255), np.uint8(0))
  for key in examples.PICTURES:
    if key in example:
      example[key].setflags(write=False)
  return example


def pair_of_places(height, width, factor):
  """'image' holds, in one pixel, the place of each block of the others."""
  image = places(height, width, masks=False)['image']
  target = image.repeat(factor, 0).repeat(factor, 1)
  mask = np.where(target % 3 == 0, np.uint8(255), np.uint8(0))
  return {'name': 'x', 'image': image, 'target': target, 'mask': mask}


def write(path, seed=0, height=40, width=56):
  """Writes a picture of noise; returns its pixels, RGB."""
  path.parent.mkdir(parents=True, exist_ok=True)
  picture = np.random.default_rng(seed).integers(
    0, 256, (height, width, 3), np.uint8
  )
  path.write_bytes(cv2.imencode(path.suffix, picture[..., ::-1])[1].tobytes())
  return picture
