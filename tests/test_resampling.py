"""Tests of the MATLAB-like bicubic resize."""

from conftest import shared
import cv2
import jax
import numpy as np
import pytest

from artjax import resampling
from artjax.resampling import imresize


def _read(name):
  return cv2.imread(str(shared(f'golden/{name}.png')))[..., ::-1]


@pytest.mark.parametrize('name', ['baboon', 'comic'])
def test_quarter_equals_matlab_exactly(name):
  small = imresize(_read(f'gt_{name}'), 0.25)
  assert small.dtype == np.uint8
  np.testing.assert_array_equal(small, _read(f'lq_{name}'))


def test_half_by_hand():
  # Keys' kernel at the offsets ±1/4, ±3/4, ±5/4, ±7/4, halved.
  taps = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
  row = np.random.default_rng(0).random(16)
  out = imresize(np.stack([row] * 4), 0.5)
  assert out.shape == (2, 8)
  # The fourth new pixel lies between the old ones 6 and 7.
  np.testing.assert_allclose(out[0, 3], row[3:11] @ taps, atol=1e-12)
  # The first reaches three pixels over the border, which is a mirror.
  mirrored = row[[2, 1, 0, 0, 1, 2, 3, 4]]
  np.testing.assert_allclose(out[0, 0], mirrored @ taps, atol=1e-12)


@pytest.mark.parametrize('size', [(16, 12), (64, 48), (31, 77), (90, 20)])
def test_agrees_with_jax_away_from_borders(size):
  image = np.random.default_rng(1).random((64, 48, 3), np.float32)
  ours = imresize(image, size=size)
  theirs = np.asarray(
    jax.image.resize(image, (*size, 3), 'cubic', antialias=True)
  )
  assert ours.dtype == np.float32 and ours.shape == theirs.shape
  # JAX cuts the kernel off at the border where MATLAB mirrors the picture:
  # the two differ where the kernel reaches over it.
  border = [
    int(np.ceil(2 * max(1, new / old))) + 1 for new, old in zip(size, (64, 48))
  ]
  inside = np.s_[border[0] : -border[0], border[1] : -border[1]]
  assert ours[inside].size
  # JAX finds the kernel's position in float32.
  np.testing.assert_allclose(ours[inside], theirs[inside], atol=1e-5)
  if size != (64, 48):
    assert np.abs(ours - theirs).max() > 1e-3


def test_same_size_is_the_identity():
  image = np.random.default_rng(2).integers(0, 256, (9, 7, 3), np.uint8)
  np.testing.assert_array_equal(imresize(image, 1), image)


@pytest.mark.parametrize('dtype', [np.uint8, np.float32, np.float64])
@pytest.mark.parametrize('scale', [0.3, 1.7])
def test_flat_stays_flat_and_keeps_its_dtype(dtype, scale):
  image = np.full((10, 13), 77, dtype)
  out = imresize(image, scale)
  assert out.dtype == dtype
  assert out.shape == (np.ceil(10 * scale), np.ceil(13 * scale))
  np.testing.assert_allclose(out, 77, rtol=1e-6)


def test_u8_is_rounded_and_clipped_and_float_is_not():
  edge = np.zeros((8, 8), np.uint8)
  edge[:, 4:] = 255
  exact = imresize(edge.astype(np.float64), 2)
  assert exact.min() < -1 and exact.max() > 256
  expected = np.floor(np.clip(exact, 0, 255) + 0.5)
  np.testing.assert_array_equal(imresize(edge, 2), expected)
  # Halves go up: the mean of 0 and 1, as MATLAB, not to even as numpy.
  halves = np.tile(np.array([0, 1], np.uint8), (8, 8))
  assert np.all(imresize(halves, size=(8, 8))[:, 2:-2] == 1)


def test_antialias_off_samples_the_kernel_as_it_is():
  image = np.random.default_rng(3).random((32, 32))
  plain = imresize(image, 0.25, antialias=False)
  # Each new pixel lies in the middle of four, where the taps are these.
  taps = np.array([-1, 9, 9, -1]) / 16
  np.testing.assert_allclose(
    plain[2, 2], taps @ image[8:12, 8:12] @ taps, atol=1e-12
  )


def test_tiny_pictures_mirror_more_than_once():
  np.testing.assert_allclose(imresize(np.full((1, 2), 3.0), 0.25), [[3.0]])


@pytest.mark.parametrize(
  'image, arguments, message',
  [
    (np.zeros((2, 3, 4, 5), np.uint8), {'scale': 2}, r'\[H, W\]'),
    (np.zeros((0, 3), np.uint8), {'scale': 2}, r'\[H, W\]'),
    (np.zeros((4, 4), np.int32), {'scale': 2}, 'int32'),
    (np.zeros((4, 4), np.uint8), {}, 'either scale or size'),
    (np.zeros((4, 4), np.uint8), {'scale': 2, 'size': (8, 8)}, 'either'),
    (np.zeros((4, 4), np.uint8), {'scale': 0}, 'positive scale'),
    (np.zeros((4, 4), np.uint8), {'size': (0, 8)}, 'at least 1'),
  ],
)
def test_refuses(image, arguments, message):
  with pytest.raises(ValueError, match=message):
    imresize(image, **arguments)


@pytest.mark.parametrize('height, width', [(300, 90), (20, 500), (5, 9)])
def test_thumbnail_keeps_the_colours(height, width):
  image = np.full([height, width, 3], (10, 200, 30), np.uint8)
  small = resampling.thumbnail(image, 64)
  assert small.shape == (64, 64, 3) and small.dtype == np.uint8
  assert (small == (10, 200, 30)).all()


def test_thumbnail_averages_areas():
  noise = np.random.default_rng(0).random([256, 512, 3], np.float32)
  small = resampling.thumbnail(noise, 32)
  want = noise.reshape(32, 8, 32, 16, 3).mean((1, 3))
  np.testing.assert_allclose(small, want, atol=1e-5)
