"""Distances of sets of crops: the formulas, the crops, in an evaluation."""

import itertools

from conftest import tiny_config
import numpy as np
import pytest
import scipy.linalg

from artjax.evaluation import runner
from artjax.evaluation.perceptual import feature_sets

NAMES = ('fid_vgg16', 'kid_vgg16')


def sets(shift=0.0):
  rng = np.random.default_rng(0)
  a, b = rng.normal(0, 1, [12, 4]), rng.normal(shift, 1, [9, 4])
  return np.float32(a), np.float32(b)


def test_the_kernel_distance_is_that_of_its_definition(monkeypatch):
  a, b = sets(0.5)
  k = lambda x, y: (np.dot(x, y) / 4 + 1) ** 3
  within = [
    np.mean([k(x, y) for x, y in itertools.permutations(np.float64(s), 2)])
    for s in (a, b)
  ]
  across = np.mean([k(x, y) for x in np.float64(a) for y in np.float64(b)])
  want = sum(within) - 2 * across
  assert feature_sets.kernel(a, b) == pytest.approx(want)
  monkeypatch.setattr(feature_sets, '_ROWS', 5)
  assert feature_sets.kernel(a, b) == pytest.approx(want)


def test_the_frechet_distance_is_that_of_its_definition():
  a, b = sets(0.5)
  cov_a, cov_b = (np.cov(x, rowvar=False) for x in (a, b))
  root = scipy.linalg.sqrtm(cov_a @ cov_b).real
  want = np.sum((a.mean(0) - b.mean(0)) ** 2)
  want += np.trace(cov_a + cov_b - 2 * root)
  assert feature_sets.frechet(a, b) == pytest.approx(want, rel=1e-5)


def test_one_element_has_no_distance():
  a, b = sets()
  for distance in feature_sets.DISTANCES.values():
    assert np.isnan(distance(a[:1], b))


@pytest.mark.parametrize(
  'shape, crops', [((60, 300), 2), ((128, 128), 1), ((256, 1500), 2 * 8)]
)
def test_crops_are_spread_over_the_picture(shape, crops, monkeypatch):
  seen = []
  monkeypatch.setattr(feature_sets, '_vgg', lambda: None)
  monkeypatch.setattr(
    feature_sets, '_seen', lambda params, crop: seen.append(crop) or np.zeros(2)
  )
  picture = np.arange(shape[0] * shape[1]).reshape(shape)
  feature_sets.features(picture[..., None])
  assert len(seen) == crops
  assert {c.shape for c in seen} == {(min(128, shape[0]), 128, 1)}
  # The first and the last pixel are in one of them.
  assert seen[0].flat[0] == 0 and seen[-1].flat[-1] == picture.flat[-1]


def test_they_are_figures_of_an_evaluation():
  def evaluate(restorer, **overrides):
    config = tiny_config(
      **{
        'eval.metrics': ('mae', *NAMES),
        'best_metric': 'kid_vgg16',
        'eval.max_pictures': 3,
        'eval.split': 'all',
        **overrides,
      }
    )
    evaluator = runner.evaluator(runner.with_best(config))
    assert evaluator.figures['kid_vgg16'] == 'min'
    return runner.evaluate(evaluator, [restorer])

  unchanged = evaluate(lambda picture: picture)
  figures = unchanged.figures()
  assert list(figures) == ['mae', *NAMES]
  assert figures == unchanged.inputs() and figures['fid_vgg16'] > 0
  assert evaluate(np.zeros_like).figures()['fid_vgg16'] > figures['fid_vgg16']
  assert '| fid_vgg16 |' in unchanged.table()
  assert unchanged.worst.found == []  # no figure of a picture alone
