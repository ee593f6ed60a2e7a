"""Sketches of pictures: what is drawn, what is varied, what stays."""

import numpy as np
import pytest

from artjax import registry
from artjax.data.ops import sketch

OPS = registry.public(sketch)


def house(light=0.7, dark=0.2):
  """A dark square on a lighter ground, u8[96, 128, 3], with a little colour."""
  image = np.full([96, 128, 3], light) * [1, 0.95, 0.9]
  image[30:70, 40:90] = dark
  return np.rint(255 * image).astype(np.uint8)


def drawn(op, image, seed=0):
  return op()({'image': image, 'name': 'a'}, np.random.default_rng(seed))


def test_all_are_ops():
  assert set(OPS) == {'sketch', 'pencil', 'xdog'}


@pytest.mark.parametrize('op', OPS.values(), ids=OPS)
@pytest.mark.parametrize('seed', range(4))
def test_a_grey_drawing_and_its_picture(op, seed):
  image = house()
  before = image.copy()
  out = drawn(op, image, seed)
  assert out['target'] is image and out['name'] == 'a'
  np.testing.assert_array_equal(image, before)
  drawing = out['image']
  assert drawing.shape == image.shape and drawing.dtype == np.float32
  assert drawing.min() >= 0 and drawing.max() <= 1
  np.testing.assert_array_equal(drawing[..., 0], drawing[..., 2])
  np.testing.assert_array_equal(drawing, drawn(op, image, seed)['image'])
  assert np.abs(drawing - drawn(op, image, seed + 100)['image']).max() > 0.02


@pytest.mark.parametrize('seed', range(6))
def test_pencil_leaves_paper_where_it_is_flat_and_a_line_at_the_edge(seed):
  drawing = drawn(sketch.pencil, house(), seed)['image'][..., 0]
  ground, edge = drawing[5:20, 5:120].mean(), drawing[31, 45:85].mean()
  assert ground > 0.7
  assert edge < ground - 0.15


@pytest.mark.parametrize('seed', range(6))
@pytest.mark.parametrize('light, dark', [(0.7, 0.2), (0.3, 0.1)])
def test_xdog_inks_the_edge_and_not_the_ground(seed, light, dark):
  # Even of a dark picture, which a fixed threshold would fill with ink.
  drawing = drawn(sketch.xdog, house(light, dark), seed)['image'][..., 0]
  ground, edge = drawing[5:20, 5:120].mean(), drawing[30:33, 45:85].min(0)
  assert ground > 0.6
  assert edge.mean() < ground - 0.2


def test_sketch_draws_both_kinds():
  image = house()
  share = np.mean(
    [
      (drawn(sketch.sketch, image, seed)['image'] < 0.3).mean() > 0.15
      for seed in range(60)
    ]
  )
  assert 0.05 < share < 0.6  # the square is filled by xdog alone


def test_darker_pencils_and_papers_differ():
  grounds = [
    drawn(sketch.pencil, house(), seed)['image'][8:16, 8:16].mean()
    for seed in range(20)
  ]
  assert np.std(grounds) > 0.02
