"""The second-order degradation: sizes, draws, parts, sharpened targets."""

import numpy as np
import pytest

from artjax import registry
from artjax.data.degradations import real_esrgan


def picture(side=64):
  y, x = np.mgrid[:side, :side]
  waves = 127 + 100 * np.sin(x / 5)[..., None] * np.cos(y / 7)[..., None]
  return np.repeat(waves, 3, -1).astype(np.uint8)


def example():
  return {'image': picture(), 'target': picture(), 'name': 'waves'}


def draw(seed, ops='second_order(4)'):
  return registry.chain(ops)(example(), np.random.default_rng(seed))


def test_shrinks_the_image_alone_the_same_for_the_same_draw():
  for seed in range(30):
    first, again = draw(seed), draw(seed)
    assert first['image'].shape == (16, 16, 3)
    assert first['image'].dtype == np.uint8
    assert np.array_equal(first['image'], again['image'])
    assert np.array_equal(first['target'], picture())
  assert not np.array_equal(draw(0)['image'], draw(1)['image'])


def test_the_picture_can_still_be_seen():
  small = picture()[2::4, 2::4].astype(float).ravel()
  likeness = [
    np.corrcoef(small, draw(i)['image'].astype(float).ravel())[0, 1]
    for i in range(40)
  ]
  assert np.median(likeness) > 0.6
  assert min(likeness) < 0.95


def test_odd_sides_are_refused():
  with pytest.raises(ValueError, match='mod_crop'):
    registry.chain('second_order(4)')(
      {'image': picture(63), 'name': 'x'}, np.random.default_rng(0)
    )


@pytest.mark.parametrize('order', [real_esrgan.FIRST, real_esrgan.SECOND])
def test_each_part_changes_a_picture(order):
  flat = np.full([64, 64, 3], 0.5, np.float32)
  noisy = [
    real_esrgan._noise(flat, order, np.random.default_rng(i)) - flat
    for i in range(60)
  ]
  assert all(n.std() > 0 for n in noisy)
  grey = [np.allclose(n[..., 0], n[..., 1]) for n in noisy]
  assert 10 < sum(grey) < 40  # four of ten
  edge = np.zeros([64, 64, 3], np.float32)
  edge[:, 32:] = 1
  for seed in range(40):
    rng = np.random.default_rng(seed)
    kernel = real_esrgan._kernel(order.sigma, rng)
    assert kernel.sum() == pytest.approx(1, abs=1e-4)
    assert kernel.shape[0] in range(7, 22, 2)


def test_sharpening_keeps_the_picture_as_real():
  blurred = example()
  blurred['target'] = np.repeat(
    np.linspace(40, 220, 64).astype(np.uint8)[None, :, None], 64, 0
  ).repeat(3, -1)
  blurred['target'][:, :32] = 60
  sharp = registry.chain('sharpen')(blurred, np.random.default_rng(0))
  assert np.array_equal(sharp['real'], blurred['target'])
  edge = lambda x: int(x[32, 34, 0]) - int(x[32, 29, 0])
  assert edge(sharp['target']) > edge(blurred['target'])


def test_a_picture_that_is_sharpened_first_is_degraded_sharp():
  whole = {'image': picture(), 'name': 'waves'}
  sharp = registry.chain('copy("image", "target")|sharpen')(whole, None)
  assert sharp['image'] is sharp['target'] and sharp['real'] is whole['image']
  assert sharp['target'].std() > 1.02 * whole['image'].std()
  chain = registry.chain('copy("image", "target")|sharpen|second_order(4)')
  got = chain(whole, np.random.default_rng(3))
  want = registry.chain('second_order(4)')(
    {'image': sharp['target'], 'name': 'sharp'}, np.random.default_rng(3)
  )
  np.testing.assert_array_equal(got['image'], want['image'])
  np.testing.assert_array_equal(got['target'], sharp['target'])


def test_training_degrades_the_sharpened_picture():
  from configs import realesrgan

  ops = realesrgan.get_config().data.ops
  assert ops.index('|sharpen|') < ops.index('|second_order(4)|')


def test_exponents_of_kernels_are_as_often_below_one_as_above(monkeypatch):
  drawn = {True: [], False: []}

  def blur(side, along, across, turn, beta, plateau=False):
    drawn[plateau].append(beta)
    return np.ones([side, side], np.float32) / side**2

  monkeypatch.setattr(real_esrgan.kernels, 'blur', blur)
  rng = np.random.default_rng(0)
  for _ in range(4000):
    real_esrgan._kernel((0.2, 3.0), rng)
  general = np.array([beta for beta in drawn[False] if beta != 1])
  assert len(general) > 300 and 0.5 <= general.min() and general.max() <= 4
  assert 0.42 < np.mean(general < 1) < 0.58
  # A plateau's exponent is not below 1: half of them are 1 itself.
  plateau = np.array(drawn[True])
  assert 1 <= plateau.min() and plateau.max() <= 2
  assert 0.42 < np.mean(plateau == 1) < 0.58
