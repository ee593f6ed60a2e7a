"""The photographs of scikit-image."""

import numpy as np

from artjax.data import sources
from artjax.data.sources import sample


def names(source):
  return [entry.name for entry in source.entries]


def test_sample_holds_out_the_pictures_the_docstring_names():
  source = sources.load('sample')
  assert len(source) == len(sample.PICTURES) and not source.rejected
  train = names(sources.split(source, 'train', 0.2))
  held_out = names(sources.split(source, 'validation', 0.2))
  assert held_out == ['chelsea', 'coffee']
  assert sorted(train + held_out) == sorted(names(source))
  docstring = ' '.join(sample.__doc__.split())
  assert f'{" and ".join(held_out)} are held out' in docstring
  assert f'{", ".join(train[:-1])} and {train[-1]} are trained' in docstring
  for share in (0.08, 0.31):
    assert names(sources.split(source, 'validation', share)) == held_out
  for i in range(len(source)):
    image = source[i]['image']
    assert image.dtype == np.uint8 and image.shape[2] == 3
    assert np.ptp(image.astype(int), axis=2).mean() > 3  # in colour
