"""Means and numbers that evaluations share."""

import math

import numpy as np
import pytest

from artjax.evaluation import base


def test_a_mean_is_of_what_is_finite():
  assert base.mean([1.0, 2.0, math.inf, math.nan]) == 1.5
  assert base.mean([math.inf, math.nan]) == math.inf
  assert math.isnan(base.mean([math.nan]))
  assert base.means([{'a': 1.0, 'b': math.inf}, {'a': 2.0, 'b': 3.0}]) == {
    'a': 1.5,
    'b': 3.0,
  }


def test_json_has_finite_numbers_alone():
  assert base.finite(np.float32(0.5)) == 0.5
  assert base.finite(1 / 3, 2) == 0.33
  assert base.finite(math.inf) is None and base.finite(math.nan) is None


def test_an_unknown_metric_names_those_there_are():
  modes = {'a': 'max', 'b': 'min'}
  assert base.known(['b'], modes, 'detect') == {'b': 'min'}
  with pytest.raises(ValueError, match="'c' for the task detect; it has a, b"):
    base.known(['c'], modes, 'detect')
