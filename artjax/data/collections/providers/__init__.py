"""The providers, one file each: list, record, picture, licence."""

import importlib

from artjax.data.collections import base

NAMES = (
  'met',
  'artic',
  'cleveland',
  'rijksmuseum',
  'smithsonian',
  'commons',
  'europeana',
  'iiif',
  'urls',
)


def load(name: str) -> base.Provider:
  """The provider of that name, one of `NAMES`."""
  module = importlib.import_module(f'artjax.data.collections.providers.{name}')
  return module.PROVIDER
