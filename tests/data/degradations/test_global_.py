"""Whole-picture degradations: identity, range, draws, and what each does."""

import numpy as np
import pytest

from artjax import registry
from artjax.data.degradations import decorators
from artjax.data.degradations.global_ import noise
from artjax.data.degradations.global_ import reproduction
from artjax.data.degradations.global_ import tones

FACTORIES = registry.ops('artjax.data.degradations.global_')


def picture(height=64, width=80, seed=0):
  """A smooth u8 picture with edges, colours and both ends of the range."""
  y, x = np.mgrid[:height, :width] / max(height, width)
  rng = np.random.default_rng(seed)
  image = np.stack(
    [
      0.5 + 0.5 * np.sin(9 * x + 4 * y * y + phase)
      for phase in rng.uniform(0, 6, 3)
    ],
    -1,
  )
  image[height // 4 : height // 2, width // 3 : width // 2] = (0.9, 0.2, 0.1)
  return np.rint(255 * image).astype(np.uint8)


def change(factory, severity, image, seed):
  """Mean absolute change by one draw."""
  out = factory(severity)({'image': image}, np.random.default_rng(seed))
  return float(np.abs(out['image'] - image / np.float32(255)).mean())


def test_all_of_the_list_are_there():
  assert set(FACTORIES) == {
    'gaussian_blur',
    'anisotropic_blur',
    'motion_blur',
    'defocus_blur',
    'rescale',
    'gaussian_noise',
    'poisson_noise',
    'speckle_noise',
    'salt_and_pepper',
    'jpeg',
    'halftone',
    'scan_lines',
    'hard_grain',
    'fading',
    'varnish',
    'colour_cast',
    'uneven_light',
    'greyscale',
    'sepia',
  }


@pytest.mark.parametrize('name', FACTORIES)
def test_severity_zero_is_the_identity(name):
  example = {'image': picture(), 'name': 'a', 'target': picture()}
  out = FACTORIES[name](0)(example, np.random.default_rng(0))
  assert out['image'] is example['image']
  assert out == example


@pytest.mark.parametrize('name', FACTORIES)
@pytest.mark.parametrize('shape', [(97, 131), (33, 40), (1, 9)])
def test_shape_range_and_input_are_kept(name, shape):
  image = picture(*shape)
  for given in (image, decorators.as_float(image)):
    kept = given.copy()
    for seed in range(6):
      for severity in (0.1, 1.0):
        out = FACTORIES[name](severity)(
          {'image': given}, np.random.default_rng(seed)
        )['image']
        assert out.shape == image.shape and out.dtype == np.float32
        assert np.isfinite(out).all() and 0 <= out.min() and out.max() <= 1
    np.testing.assert_array_equal(given, kept)


@pytest.mark.parametrize('name', FACTORIES)
def test_same_generator_same_picture(name):
  op, image = FACTORIES[name]((0.2, 0.9)), picture()
  one, two, other = (
    op({'image': image}, np.random.default_rng(seed))['image']
    for seed in (1, 1, 2)
  )
  np.testing.assert_array_equal(one, two)
  assert np.abs(one - other).max() > 0


@pytest.mark.parametrize('name', FACTORIES)
def test_change_grows_with_severity(name):
  image = picture()
  means = [
    np.mean(
      [change(FACTORIES[name], severity, image, seed) for seed in range(24)]
    )
    for severity in (0.03, 0.25, 0.5, 0.75, 1.0)
  ]
  assert all(a < b for a, b in zip(means, means[1:])), means
  # Severity begins at the identity: little of it changes little.
  assert means[0] < 0.015, means


def test_the_clean_copy_stays_clean():
  image = picture()
  example = {'image': image, 'target': image}
  out = tones.fading(1.0)(example, np.random.default_rng(0))
  assert out['target'] is image and example['image'] is image


def test_noise_has_the_variance_it_says():
  image = np.full((128, 128, 3), 0.5, np.float32)
  drawn = (
    noise.gaussian_noise.__wrapped__(
      image, 1.0, np.random.default_rng(0), sigma=0.1, grey=False, grain=1
    )
    - 0.5
  )
  rng = np.random.default_rng(0)
  expected = rng.uniform(0.3, 1) * 0.1
  assert drawn.std() == pytest.approx(expected, rel=0.02)
  assert abs(drawn.mean()) < 0.002
  # Independent between pixels and channels.
  assert (
    abs(np.corrcoef(drawn[:, 1:, 0].ravel(), drawn[:, :-1, 0].ravel())[0, 1])
    < 0.03
  )
  assert (
    abs(np.corrcoef(drawn[..., 0].ravel(), drawn[..., 1].ravel())[0, 1]) < 0.03
  )


def test_grey_noise_is_grey():
  image = np.full((32, 32, 3), 0.5, np.float32)
  for factory in (
    noise.gaussian_noise,
    noise.speckle_noise,
    noise.salt_and_pepper,
  ):
    for grey in (True, False):
      out = factory(1.0, grey=grey)({'image': image}, np.random.default_rng(3))
      assert (np.ptp(out['image'], axis=-1).max() < 1e-6) == grey, factory


def test_poisson_noise_grows_with_light():
  image = np.full((64, 128, 3), 0.1, np.float32)
  image[:, 64:] = 0.6
  for photons in (10, 5000):  # counted, and approximated
    out = noise.poisson_noise.__wrapped__(
      image, 1.0, np.random.default_rng(0), photons=photons
    )
    dark, bright = out[:, :64].var(), out[:, 64:].var()
    assert bright / dark == pytest.approx(6, rel=0.1)
    assert out[:, 64:].mean() == pytest.approx(0.6, rel=0.05)


def test_blur_keeps_the_mean_and_loses_detail():
  rng = np.random.default_rng(0)
  image = rng.random((96, 96, 3), np.float32)
  for name in (
    'gaussian_blur',
    'anisotropic_blur',
    'motion_blur',
    'defocus_blur',
  ):
    out = FACTORIES[name](1.0)({'image': image}, np.random.default_rng(1))
    assert out['image'].mean() == pytest.approx(image.mean(), abs=0.01)
    assert out['image'].std() < 0.6 * image.std()


def test_greyscale_and_sepia_have_one_tone():
  image = picture()
  grey = tones.greyscale(1.0)({'image': image}, np.random.default_rng(0))[
    'image'
  ]
  assert np.ptp(grey, axis=-1).max() < 1e-5
  brown = tones.sepia(1.0)({'image': image}, np.random.default_rng(0))['image']
  assert (brown[..., 0] >= brown[..., 2] - 1e-6).all()
  spread = brown.reshape(-1, 3) - brown.reshape(-1, 3).mean(0)
  spread = np.linalg.svd(spread, compute_uv=False)
  assert spread[1] < 0.05 * spread[0]


def test_jpeg_quality_and_subsampling_count():
  image = picture(96, 96)
  size = {}
  for quality in (10, 90):
    out = reproduction.jpeg.__wrapped__(
      decorators.as_float(image), 1.0, np.random.default_rng(0), quality=quality
    )
    size[quality] = np.abs(out - image / 255).mean()
  assert size[10] > 2 * size[90]
  with pytest.raises(ValueError, match="420.*'411'"):
    reproduction.jpeg(1.0, subsampling='411')(
      {'image': image}, np.random.default_rng(0)
    )
