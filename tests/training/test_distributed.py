"""Data parallelism; of several processes see hosts/."""

from artjax.training import distributed


def test_one_process_gathers_its_own():
  assert distributed.gather({'a': 1}) == [{'a': 1}]
