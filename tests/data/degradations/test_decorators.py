"""Lifting: severities, parameters, conversion, masks."""

import numpy as np
import pytest

from artjax import damage_classes
from artjax.data.degradations import decorators


@decorators.tonal
def brighter(image, severity, rng, *, by=0.5):
  """Adds up to `by`."""
  del rng
  return image + np.float32(severity * by)


@decorators.local('loss')
def corner(image, severity, rng, *, side=4):
  """Blackens a corner."""
  del rng
  weight = np.zeros(image.shape[:2], np.float32)
  weight[:side, :side] = severity
  weight[side, side] = decorators.VISIBLE
  return image * (1 - weight[..., None]), weight


@decorators.preset
def both(example, severity, rng):
  """The one, then the other."""
  return corner(severity)(brighter(severity)(example, rng), rng)


def grey():
  return {'image': np.full((8, 9, 3), 102, np.uint8), 'name': 'a'}


def test_a_factory_keeps_its_name_and_its_plain_function():
  assert brighter.__name__ == 'brighter' and 'Adds' in brighter.__doc__
  assert brighter.__module__ == __name__
  image = np.zeros((2, 2, 3), np.float32)
  np.testing.assert_array_equal(
    brighter.__wrapped__(image, 1.0, None, by=0.25), image + 0.25
  )


def test_bytes_become_float_and_stay_in_range():
  out = brighter(1.0, by=0.1)(grey(), np.random.default_rng(0))
  np.testing.assert_allclose(out['image'], 0.5, atol=1e-6)
  assert out['image'].dtype == np.float32
  out = brighter(1.0, by=5)(grey(), np.random.default_rng(0))
  assert (out['image'] == 1).all()
  out = brighter(1.0, by=-5)(grey(), np.random.default_rng(0))
  assert (out['image'] == 0).all()


def test_bytes_come_back_as_they_were():
  every = np.arange(256, dtype=np.uint8).reshape(16, 16)
  np.testing.assert_array_equal(
    np.rint(decorators.as_float(every) * np.float32(255)).astype(np.uint8),
    every,
  )


def test_clip_is_clip():
  values = np.random.default_rng(0).normal(0.5, 1, (20, 30, 3))
  values = values.astype(np.float32)
  np.testing.assert_array_equal(decorators.clip(values), np.clip(values, 0, 1))


@pytest.mark.parametrize('factory', [brighter, corner, both])
def test_severity_zero_returns_the_examples_own(factory):
  example = grey()
  for severity in (0, 0.0, (0, 0)):
    out = factory(severity)(example, np.random.default_rng(0))
    assert out['image'] is example['image'] and 'mask' not in out


def test_a_range_of_severities_is_drawn_from_evenly():
  op, rng = brighter((0.2, 0.8), by=0.5), np.random.default_rng(0)
  drawn = [(op(grey(), rng)['image'].mean() - 0.4) / 0.5 for _ in range(300)]
  assert min(drawn) > 0.199 and max(drawn) < 0.801
  assert np.mean(drawn) == pytest.approx(0.5, abs=0.03)
  assert np.std(drawn) == pytest.approx(0.6 / np.sqrt(12), rel=0.1)


def test_a_fixed_severity_draws_nothing():
  rng = np.random.default_rng(0)
  brighter(0.5)(grey(), rng)
  assert rng.random() == np.random.default_rng(0).random()


def test_masks_are_made_and_added_to():
  out = corner(1.0)(grey(), None)
  expected = np.zeros((8, 9, 3), np.uint8)
  expected[:4, :4, damage_classes.CLASSES.index('loss')] = 255
  np.testing.assert_array_equal(out['mask'], expected)
  old = np.zeros((8, 9, 3), np.uint8)
  old[6:] = 255
  kept = old.copy()
  out = corner(1.0)({**grey(), 'mask': old}, None)
  np.testing.assert_array_equal(out['mask'], expected | old)
  np.testing.assert_array_equal(old, kept)


def test_presets_are_given_the_example_and_the_severity():
  out = both(0.5)(grey(), None)
  assert out['name'] == 'a'
  np.testing.assert_allclose(out['image'][7, 7], 0.65, atol=1e-6)
  np.testing.assert_allclose(out['image'][0, 0], 0.325, atol=1e-6)


def test_bad_arguments_say_what_is_there():
  with pytest.raises(ValueError, match=r'brighter has no bye.*severity, by'):
    brighter(0.5, bye=0.1)
  for severity in (
    -0.1,
    1.5,
    (0.6, 0.2),
    (0.1, 0.2, 0.3),
    'high',
    None,
    float('nan'),
  ):
    with pytest.raises(ValueError, match='severity of brighter'):
      brighter(severity)
  with pytest.raises(ValueError, match='uint8 or float32'):
    brighter(1.0)({'image': np.zeros((2, 2, 3))}, None)
  with pytest.raises(ValueError, match="'scar'.*crack"):
    decorators.local('scar')
