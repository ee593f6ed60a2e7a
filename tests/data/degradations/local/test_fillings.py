"""Areas in which something else lies than the picture."""

import cv2
import numpy as np
import pytest

from artjax.data.degradations.drawing import textures
from artjax.data.degradations.local import fillings


def drawn(seed, severity=1.0, side=128, **parameters):
  y, x = np.mgrid[:side, :side] / side
  image = np.stack([x, y, 0.5 + 0.3 * np.sin(9 * x)], -1).astype(np.float32)
  out = fillings.fillings(severity, **parameters)(
    {'image': image}, np.random.default_rng(seed)
  )
  return image, out


@pytest.mark.parametrize('shape', fillings._SHAPES)
def test_every_shape_covers_about_what_is_asked(shape):
  shares = [
    (drawn(seed, shape=shape, fill='noise')[1]['mask'][..., 1] > 0).mean()
    for seed in range(24)
  ]
  # 0.2 to 1 times 0.25, less what lies outside or overlaps.
  assert 0.04 < np.mean(shares) < 0.3


@pytest.mark.parametrize('fill', textures.KINDS)
def test_every_filling_is_opaque(fill):
  """What was below is gone: the same filling comes over another picture."""
  if fill == 'other_paint':
    return
  for seed in range(6):
    rngs = [np.random.default_rng(seed) for _ in range(2)]
    pictures = [np.full((64, 64, 3), v, np.float32) for v in (0.2, 0.7)]
    op = fillings.fillings(1.0, shape='boxes', fill=fill)
    one, two = (op({'image': image}, rng) for image, rng in zip(pictures, rngs))
    both = (one['mask'][..., 1] > 0) & (two['mask'][..., 1] > 0)
    inside = cv2.erode(both.view(np.uint8), np.ones((5, 5))) > 0
    apart = np.abs(one['image'] - two['image']).max(-1)
    limit = 0.5 if fill == 'flat' else 0.12  # flat may be the picture's own
    assert apart[inside].max(initial=0) <= limit


def test_other_paint_is_made_of_the_picture():
  rng = np.random.default_rng(0)
  image = np.zeros((40, 60, 3), np.float32)
  image[:, :30] = (0.8, 0.1, 0.1)
  for _ in range(6):
    paint = textures.other_paint(image, rng)
    assert paint.shape == image.shape
    # Two colours, black and a red, each on half of it.
    dark = paint.max(-1) < 0.01
    assert 0.4 < dark.mean() < 0.6
    red, green, _ = paint[~dark].mean(0)
    assert red > 3 * green


@pytest.mark.parametrize('name', ['plaster', 'weave', 'noise'])
@pytest.mark.parametrize('shape', [(1, 9), (33, 40), (97, 131)])
def test_textures_are_in_range_and_not_flat(name, shape):
  for seed in range(4):
    texture = getattr(textures, name)(shape, np.random.default_rng(seed))
    assert texture.shape == (*shape, 3) and texture.dtype == np.float32
    assert 0 <= texture.min() and texture.max() <= 1
    assert shape == (1, 9) or texture.std() > 0.005


def test_plaster_is_bright():
  rng = np.random.default_rng(1)
  means = [textures.plaster((64, 64), rng).mean() for _ in range(8)]
  assert min(means) > 0.6


def test_filled_holes_hide_what_was_there():
  op = fillings.filled_holes(1.0, shape='boxes', fill='weave')
  for seed in range(12):
    dark, bright = (
      op(
        {'image': np.full((128, 128, 3), level, np.float32)},
        np.random.default_rng(seed),
      )
      for level in (0.1, 0.9)
    )
    assert not dark['mask'][..., ::2].any()
    hole = (dark['mask'] & bright['mask'])[..., 1]
    inside = cv2.erode(hole, np.ones((13, 13))) > 0  # edges may be soft
    apart = np.abs(dark['image'] - bright['image'])[inside].max(-1)
    assert (apart < 1e-3).mean() > 0.95  # not all: soft gaps between boxes
    outside = dark['image'][dark['mask'].max(-1) == 0]
    np.testing.assert_allclose(outside, 0.1, atol=8.01 / 255)


def test_filled_holes_grow_with_severity():
  image = np.full((128, 128, 3), 0.1, np.float32)
  small, large = (
    [
      (op({'image': image}, np.random.default_rng(i))['mask'] > 0).mean() * 3
      for i in range(24)
    ]
    for op in map(fillings.filled_holes, (0.2, 1.0))
  )
  assert 2 * np.mean(small) < np.mean(large) < 0.4


def test_unknown_shapes_and_fillings_are_refused():
  with pytest.raises(ValueError, match="no shape 'star' of fillings; blobs"):
    drawn(0, shape='star')
  with pytest.raises(ValueError, match="no shape 'star' of filled_holes; "):
    fillings.filled_holes(0.5, shape='star')(
      {'image': np.zeros((9, 9, 3), np.float32)}, np.random.default_rng(0)
    )
  with pytest.raises(ValueError, match="no filling 'tar'; flat, noise"):
    drawn(0, fill='tar')
