"""What every loss keeps to, and losses by name."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax import losses
from artjax.evaluation import metrics
from artjax.losses import feature
from artjax.losses import pixel
from artjax.models import encoders

PIXEL = ['l1', 'charbonnier', 'mse', 'ssim', 'ab']
FROZEN = ['perceptual', 'lpips']
# AlexNet is ten times cheaper than VGG16, which has tests of its own below.
OPTIONS = {
  'perceptual': {'net': 'alexnet', 'layers': {'conv2': 0.5, 'relu3': 1.0}},
  'lpips': {'net': 'alexnet'},
}


def _pair(seed=0, shape=(2, 32, 40, 3)):
  rng = np.random.default_rng(seed)
  return (rng.random(shape, np.float32), rng.random(shape, np.float32))


@functools.cache
def _loss(name):
  """A named loss, compiled: (pred, target, frozen) -> f32[B], gradient."""

  def value(pred, target, frozen):
    each, _ = losses.total({name: 1.0}, pred, target, frozen, OPTIONS)
    return each.sum(), each

  def compiled(pred, target, frozen):
    (_, each), gradient = jax.value_and_grad(value, has_aux=True)(
      pred, target, frozen
    )
    return each, gradient

  return jax.jit(compiled)


@pytest.fixture(scope='module')
def alexnet():
  return losses.frozen({'perceptual': 1.0, 'lpips': 1.0}, OPTIONS)


@pytest.mark.parametrize('name', PIXEL + FROZEN)
def test_one_number_a_picture(name, alexnet):
  pred, target = _pair()
  loss = _loss(name)
  both, _ = loss(pred, target, alexnet)
  assert both.shape == (2,) and both.dtype == jnp.float32
  assert np.all(both > 0) and both[0] != both[1]
  # The other picture of the batch has no part in it.
  pred[1] = 0.0
  again, _ = loss(pred, target, alexnet)
  np.testing.assert_allclose(again[0], both[0], rtol=1e-5)
  assert again[1] != both[1]


@pytest.mark.parametrize('name', PIXEL + FROZEN)
@pytest.mark.parametrize('flat', [False, True])
def test_equal_pictures(name, flat, alexnet):
  image = _pair()[0]
  if flat:
    # Black pictures: whole feature vectors are zero after the activation.
    image = np.zeros_like(image)
  value, gradient = _loss(name)(image, image.copy(), alexnet)
  expected = 1e-3 if name == 'charbonnier' else 0.0
  np.testing.assert_allclose(value, expected, atol=2e-6)
  # Nothing to gain: no NaN from a root or a division, and no slope.
  np.testing.assert_allclose(gradient, 0.0, atol=1e-6)


@pytest.mark.parametrize('name', PIXEL + FROZEN)
def test_gradient_descends(name, alexnet):
  pred, target = _pair()
  before, gradient = _loss(name)(pred, target, alexnet)
  assert np.all(np.any(gradient != 0, axis=(1, 2, 3)))
  step = 1e-3 * gradient / np.abs(gradient).max()
  after, _ = _loss(name)(pred - step, target, alexnet)
  assert np.all(after < before)


@pytest.mark.parametrize('name', PIXEL + FROZEN)
def test_refuses(name, alexnet):
  pred, target = _pair()
  loss = getattr(feature if name in FROZEN else pixel, name)
  given = (alexnet,) if name in FROZEN else ()
  with pytest.raises(ValueError, match='differ in shape'):
    loss(pred, target[:1], *given)  # would broadcast
  with pytest.raises(ValueError, match='B, H, W, C'):
    loss(pred[0], target[0], *given)
  with pytest.raises(ValueError, match='target is uint8'):
    loss(pred, (255 * target).astype(np.uint8), *given)


def test_total_is_the_weighted_sum(alexnet):
  pred, target = _pair()
  weights = {'l1': 0.5, 'mse': 0.0, 'ssim': 2.0, 'lpips': 0.1}
  value, terms = jax.jit(
    lambda pred, target, frozen: losses.total(
      weights, pred, target, frozen, OPTIONS
    )
  )(pred, target, alexnet)
  assert set(terms) == {'l1', 'ssim', 'lpips'}
  assert value.shape == (2,) and value.dtype == jnp.float32
  np.testing.assert_allclose(terms['l1'], pixel.l1(pred, target), rtol=1e-6)
  np.testing.assert_allclose(
    value,
    0.5 * terms['l1'] + 2.0 * terms['ssim'] + 0.1 * terms['lpips'],
    rtol=1e-6,
  )


def test_weight_zero_is_not_traced():
  pred, target = _pair()
  # Without its network LPIPS would raise.
  value, terms = losses.total({'lpips': 0.0, 'l1': 1.0}, pred, target, {})
  assert set(terms) == {'l1'}
  np.testing.assert_array_equal(value, terms['l1'])
  value, terms = losses.total({}, pred, target)
  assert not terms
  np.testing.assert_array_equal(value, [0.0, 0.0])


def test_total_passes_options():
  pred, target = _pair()
  value, _ = losses.total(
    {'charbonnier': 1.0}, pred, target, None, {'charbonnier': {'eps': 0.4}}
  )
  np.testing.assert_allclose(
    value, pixel.charbonnier(pred, target, eps=0.4), rtol=1e-6
  )


def test_bfloat16_predictions_are_compared_in_float32():
  target = np.full((1, 16, 16, 3), 0.501, np.float32)
  pred = jnp.full((1, 16, 16, 3), 0.5, jnp.bfloat16)
  value, _ = losses.total({'l1': 1.0}, pred, target)
  assert value.dtype == jnp.float32
  np.testing.assert_allclose(value, [1e-3], rtol=1e-3)


def test_frozen_loads_what_is_needed():
  assert losses.frozen({'l1': 1.0, 'ssim': 0.2}) == {}
  assert losses.frozen({'l1': 1.0, 'perceptual': 0.0, 'lpips': 0.0}) == {}
  assert set(losses.frozen({'lpips': 1.0})) == {'vgg16'}
  both = losses.frozen(
    {'perceptual': 1.0, 'lpips': 1.0}, {'lpips': {'net': 'alexnet'}}
  )
  assert set(both) == {'alexnet', 'vgg16'}
  assert both['vgg16'] is encoders.load('vgg16')
  assert isinstance(both['vgg16']['conv1_1']['kernel'], np.ndarray)


@pytest.mark.parametrize(
  'weights, options, message',
  [
    ({'charbonier': 1.0}, None, "'charbonier'.*did you mean charbonnier"),
    ({'charbonier': 0.0}, None, 'did you mean charbonnier'),
    ({'total': 1.0}, None, "unknown loss 'total'"),
    ({'l1': 1.0}, {'lpip': {}}, 'did you mean lpips'),
    ({'perceptual': 1.0}, {'perceptual': {'layer': {}}}, 'mean layers'),
    ({'l1': 1.0}, {'l1': {'eps': 1.0}}, "option of the loss l1 'eps'"),
    ({'lpips': 1.0}, {'lpips': {'net': 'vgg19'}}, 'vgg19.*vgg16'),
  ],
)
def test_unknown_names(weights, options, message):
  with pytest.raises(ValueError, match=message):
    losses.frozen(weights, options)
  pred, target = _pair(shape=(1, 16, 16, 3))
  with pytest.raises(ValueError, match=message.split('.*')[0]):
    losses.total(weights, pred, target, {}, options)


def test_config_dicts_will_do(alexnet):
  ml_collections = pytest.importorskip('ml_collections')
  config = ml_collections.ConfigDict(
    {'losses': {'l1': 1.0, 'perceptual': 0.1}, 'options': OPTIONS}
  )
  pred, target = _pair()
  assert set(losses.frozen(config.losses, config.options)) == {'alexnet'}
  value, _ = losses.total(config.losses, pred, target, alexnet, config.options)
  plain, _ = losses.total(
    {'l1': 1.0, 'perceptual': 0.1}, pred, target, alexnet, OPTIONS
  )
  np.testing.assert_array_equal(value, plain)


def test_hole_l1_gets_its_mask_and_option_by_name():
  pred, target = _pair()
  mask = np.zeros((2, 32, 40, 1), np.float32)
  mask[:, :9] = 1
  value, terms = losses.total(
    {'hole_l1': 2.0, 'l1': 1.0},
    pred,
    target,
    mask=mask,
    options={'hole_l1': {'known': 0.0}},
  )
  error = np.abs(pred - target)
  np.testing.assert_allclose(
    terms['hole_l1'], error[:, :9].mean((1, 2, 3)), rtol=1e-5
  )
  np.testing.assert_allclose(
    value, 2 * terms['hole_l1'] + terms['l1'], rtol=1e-5
  )
  with pytest.raises(ValueError, match='needs a mask'):
    losses.total({'hole_l1': 1.0}, pred, target)


def test_lpips_agrees_with_the_metric(alexnet):
  rng = np.random.default_rng(0)
  pred, target = rng.integers(0, 256, (2, 2, 32, 40, 3), np.uint8)
  loss, _ = _loss('lpips')(
    pred.astype(np.float32) / 255, target.astype(np.float32) / 255, alexnet
  )
  np.testing.assert_allclose(loss, metrics.lpips(pred, target), rtol=1e-4)
