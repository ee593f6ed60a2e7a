"""What tests of sources share."""

from absl import logging as absl_logging
import pytest


@pytest.fixture
def warned(monkeypatch):
  """Warnings logged, as lines."""
  lines = []
  monkeypatch.setattr(
    absl_logging, 'warning', lambda text, *args: lines.append(text % args)
  )
  return lines
