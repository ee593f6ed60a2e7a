"""Stains are undone where a detector has found some, else everywhere."""

import types

import numpy as np
import pytest

from artjax.inference import weights
from artjax.restoration import options as options_lib
from artjax.restoration import stages
from artjax.restoration.masks import damage_mask

HEIGHT, WIDTH = 40, 30


class Brighter:
  """Makes everything brighter by .25, in strips of 16 rows."""

  config = types.SimpleNamespace(task='stains')
  scale, view, views = 1, 16, 8

  def strips(self, read, height, width, whole, **settings):
    del whole, settings
    for top in range(0, height, 16):
      rows = read(top, 0, min(16, height - top), width)
      yield top, rows + np.float32(0.25)


@pytest.fixture
def stage():
  return stages.Stains(weights.single('stains'), Brighter())


def _result(stage, probabilities, **options):
  chosen = options_lib.Options(**options)
  mask = damage_mask.Mask(HEIGHT, WIDTH, chosen)
  mask.probabilities = probabilities
  picture = np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
  view = stages.View(
    lambda y, x, h, w: picture[y : y + h, x : x + w],
    lambda side: picture,
    HEIGHT,
    WIDTH,
  )
  strips = stage.strips(view, stages.Work(chosen, mask, []))
  return np.concatenate([rows for _, rows in strips]) - 0.5


def test_without_a_detector_all_of_the_picture_is_meant(stage):
  np.testing.assert_allclose(_result(stage, None), 0.25, atol=1e-6)


@pytest.mark.parametrize('factor', [1, 2])  # found in a smaller picture
def test_only_what_is_found_is_changed(stage, factor):
  found = np.zeros((HEIGHT // factor, WIDTH // factor, 3), np.uint8)
  found[: 20 // factor, :, 2] = 255  # a stain
  found[20 // factor :, :, :2] = 255  # cracks and losses
  made = _result(stage, found)
  np.testing.assert_allclose(made[:18], 0.25, atol=1e-6)
  np.testing.assert_array_equal(made[22:], 0)


def test_what_is_unsure_is_changed_in_part(stage):
  found = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
  found[..., 2] = 89  # of 255: half way from .2 to .5
  made = _result(stage, found)
  np.testing.assert_allclose(made, 0.125, atol=0.005)


def test_the_option_of_structure_is_its_strength(stage):
  made = _result(stage, None, structure=0.5)
  np.testing.assert_allclose(made, 0.125, atol=1e-6)
  assert stage.uses('structure')
  assert not (stage.uses('tile') or stage.uses('self_ensemble'))
