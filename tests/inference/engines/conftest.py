"""Engines keep what they find out in a folder of this run."""

import os

import pytest


@pytest.fixture(scope='session', autouse=True)
def caches(tmp_path_factory):
  """The folder of caches; OpenVINO knows it by name to the end."""
  before = os.environ.get('XDG_CACHE_HOME')
  folder = tmp_path_factory.mktemp('caches')
  os.environ['XDG_CACHE_HOME'] = str(folder)
  yield folder / 'artjax'
  if before is None:
    del os.environ['XDG_CACHE_HOME']
  else:
    os.environ['XDG_CACHE_HOME'] = before
