"""Tests of the losses: values by hand, gradients, the sum by name."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from artjax import colour
from artjax.evaluation import metrics
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
    each, _ = pixel.total({name: 1.0}, pred, target, frozen, OPTIONS)
    return each.sum(), each

  def compiled(pred, target, frozen):
    (_, each), gradient = jax.value_and_grad(value, has_aux=True)(
      pred, target, frozen
    )
    return each, gradient

  return jax.jit(compiled)


@pytest.fixture(scope='module')
def alexnet():
  return pixel.frozen({'perceptual': 1.0, 'lpips': 1.0}, OPTIONS)


@pytest.mark.parametrize(
  'name, values',
  [
    ('l1', [1.5 / 12, 0.5]),
    ('mse', [1.25 / 12, 0.25]),
    ('charbonnier', [(1 + 0.5 + 10 * 1e-3) / 12, 0.5]),
  ],
)
def test_by_hand(name, values):
  target = np.zeros((2, 2, 2, 3), np.float32)
  pred = target.copy()
  pred[0, 0, 1] = 1.0, 0.0, 0.5
  pred[1] = 0.5
  np.testing.assert_allclose(
    jax.jit(getattr(pixel, name))(pred, target), values, rtol=2e-5
  )


def test_charbonnier_eps():
  zero = np.zeros((1, 2, 2, 3), np.float32)
  np.testing.assert_allclose(
    pixel.charbonnier(zero, zero + 0.3, eps=0.4), [0.5], rtol=1e-6
  )


def test_ssim_of_flat_pictures_by_hand():
  pred = np.full((1, 12, 14, 3), 0.4, np.float32)
  target = np.full((1, 12, 14, 3), 0.6, np.float32)
  expected = 1 - (2 * 0.24 + 1e-4) / (0.16 + 0.36 + 1e-4)
  # A float32 variance is right to 1e-7, against the constant 9e-4.
  np.testing.assert_allclose(
    jax.jit(pixel.ssim)(pred, target), [expected], atol=1e-3
  )


@pytest.mark.parametrize('seed', [0, 1])
def test_ssim_agrees_with_the_metric(seed):
  rng = np.random.default_rng(seed)
  target = rng.integers(0, 256, (2, 33, 47, 3), np.uint8)
  noise = rng.normal(0, 40, target.shape)
  pred = np.clip(target + noise, 0, 255).astype(np.uint8)
  loss = jax.jit(pixel.ssim)(
    pred.astype(np.float32) / 255, target.astype(np.float32) / 255
  )
  np.testing.assert_allclose(
    1 - loss, metrics.ssim_rgb(pred, target), atol=2e-6
  )


def test_lpips_agrees_with_the_metric(alexnet):
  rng = np.random.default_rng(0)
  pred, target = rng.integers(0, 256, (2, 2, 32, 40, 3), np.uint8)
  loss, _ = _loss('lpips')(
    pred.astype(np.float32) / 255, target.astype(np.float32) / 255, alexnet
  )
  np.testing.assert_allclose(loss, metrics.lpips(pred, target), rtol=1e-4)


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
  loss = getattr(pixel, name)
  given = (alexnet,) if name in FROZEN else ()
  with pytest.raises(ValueError, match='differ in shape'):
    loss(pred, target[:1], *given)  # would broadcast
  with pytest.raises(ValueError, match='B, H, W, C'):
    loss(pred[0], target[0], *given)
  with pytest.raises(ValueError, match='target is uint8'):
    loss(pred, (255 * target).astype(np.uint8), *given)


def test_ssim_refuses_pictures_smaller_than_its_window():
  image = np.zeros((1, 10, 12, 3), np.float32)
  with pytest.raises(ValueError, match='11 px.*10x12'):
    pixel.ssim(image, image)


# ---- perceptual -------------------------------------------------------------


def test_perceptual_is_the_weighted_sum_of_its_layers(alexnet):
  pred, target = _pair()

  @jax.jit
  def value(frozen):
    return [
      pixel.perceptual(pred, target, frozen, net='alexnet', **options)
      for options in (
        {'layers': {'conv2': 1.0}},
        {'layers': {'relu3': 1.0}},
        {'layers': {'conv2': 0.5, 'relu3': 2.0, 'conv4': 0.0}},
        {'layers': {'conv2': 1.0}, 'distance': 'mse'},
      )
    ]

  second, third, both, squared = value(alexnet)
  np.testing.assert_allclose(both, 0.5 * second + 2 * third, rtol=1e-5)
  ours, theirs = (
    encoders.features(alexnet['alexnet'], x, ['conv2'], net='alexnet')['conv2']
    for x in (pred, target)
  )
  np.testing.assert_allclose(
    second, np.abs(ours - theirs).mean(axis=(1, 2, 3)), rtol=1e-5
  )
  np.testing.assert_allclose(
    squared, np.square(ours - theirs).mean(axis=(1, 2, 3)), rtol=1e-5
  )


def test_perceptual_default_is_vgg16():
  pred, target = _pair(shape=(1, 16, 16, 3))
  frozen = pixel.frozen({'perceptual': 0.1})
  assert set(frozen) == {'vgg16'}
  value = jax.jit(pixel.perceptual)(pred, target, frozen)
  names = list(pixel.PERCEPTUAL_LAYERS)
  features = jax.jit(lambda params, x: encoders.features(params, x, names))
  ours, theirs = (features(frozen['vgg16'], x) for x in (pred, target))
  expected = sum(
    weight * np.abs(ours[name] - theirs[name]).mean()
    for name, weight in pixel.PERCEPTUAL_LAYERS.items()
  )
  np.testing.assert_allclose(value, [expected], rtol=1e-4)


def test_perceptual_refuses(alexnet):
  pred, target = _pair()
  with pytest.raises(ValueError, match="'vgg16' is not among.*alexnet"):
    pixel.perceptual(pred, target, alexnet)
  with pytest.raises(ValueError, match="no layer 'conv9'"):
    pixel.perceptual(
      pred, target, alexnet, net='alexnet', layers={'conv9': 1.0}
    )
  with pytest.raises(ValueError, match="'l3'.*l1"):
    pixel.perceptual(pred, target, alexnet, net='alexnet', distance='l3')


# ---- by name ----------------------------------------------------------------


def test_total_is_the_weighted_sum(alexnet):
  pred, target = _pair()
  weights = {'l1': 0.5, 'mse': 0.0, 'ssim': 2.0, 'lpips': 0.1}
  value, terms = jax.jit(
    lambda pred, target, frozen: pixel.total(
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
  value, terms = pixel.total({'lpips': 0.0, 'l1': 1.0}, pred, target, {})
  assert set(terms) == {'l1'}
  np.testing.assert_array_equal(value, terms['l1'])
  value, terms = pixel.total({}, pred, target)
  assert not terms
  np.testing.assert_array_equal(value, [0.0, 0.0])


def test_total_passes_options():
  pred, target = _pair()
  value, _ = pixel.total(
    {'charbonnier': 1.0}, pred, target, None, {'charbonnier': {'eps': 0.4}}
  )
  np.testing.assert_allclose(
    value, pixel.charbonnier(pred, target, eps=0.4), rtol=1e-6
  )


def test_bfloat16_predictions_are_compared_in_float32():
  target = np.full((1, 16, 16, 3), 0.501, np.float32)
  pred = jnp.full((1, 16, 16, 3), 0.5, jnp.bfloat16)
  value, _ = pixel.total({'l1': 1.0}, pred, target)
  assert value.dtype == jnp.float32
  np.testing.assert_allclose(value, [1e-3], rtol=1e-3)


def test_frozen_loads_what_is_needed():
  assert pixel.frozen({'l1': 1.0, 'ssim': 0.2}) == {}
  assert pixel.frozen({'l1': 1.0, 'perceptual': 0.0, 'lpips': 0.0}) == {}
  assert set(pixel.frozen({'lpips': 1.0})) == {'vgg16'}
  both = pixel.frozen(
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
    pixel.frozen(weights, options)
  pred, target = _pair(shape=(1, 16, 16, 3))
  with pytest.raises(ValueError, match=message.split('.*')[0]):
    pixel.total(weights, pred, target, {}, options)


def test_config_dicts_will_do(alexnet):
  ml_collections = pytest.importorskip('ml_collections')
  config = ml_collections.ConfigDict(
    {'losses': {'l1': 1.0, 'perceptual': 0.1}, 'options': OPTIONS}
  )
  pred, target = _pair()
  assert set(pixel.frozen(config.losses, config.options)) == {'alexnet'}
  value, _ = pixel.total(config.losses, pred, target, alexnet, config.options)
  plain, _ = pixel.total(
    {'l1': 1.0, 'perceptual': 0.1}, pred, target, alexnet, OPTIONS
  )
  np.testing.assert_array_equal(value, plain)


def test_psnr_is_decibels_below_the_bound():
  target = jnp.zeros([3, 4, 4, 3])
  error = jnp.asarray([0.0, 0.01, 0.1]).reshape(3, 1, 1, 1)
  have = jax.jit(pixel.psnr)(target + error, target)
  np.testing.assert_allclose(
    have, [0.0, 10 * np.log10(2), 10 * np.log10(101)], rtol=1e-4
  )


def test_detail_ignores_a_blocks_mean_and_sees_the_rest():
  rng = np.random.default_rng(0)
  target = jnp.asarray(rng.uniform(size=[2, 33, 32, 3]), jnp.float32)
  offset = np.repeat(np.repeat(rng.uniform(size=[2, 2, 2, 3]), 16, 1), 16, 2)
  offset = jnp.asarray(
    np.pad(offset, [(0, 0), (0, 1), (0, 0), (0, 0)]), jnp.float32
  )
  have = jax.jit(pixel.detail)(target + offset, target)
  np.testing.assert_allclose(have, 1e-3, rtol=1e-3)  # eps of equal pictures
  checks = jnp.asarray(np.indices([33, 32]).sum(0) % 2, jnp.float32)
  have = pixel.detail(target + checks.reshape(1, 33, 32, 1), target)
  np.testing.assert_allclose(have, 0.5, rtol=1e-4)
  with pytest.raises(ValueError, match='smaller than a block'):
    pixel.detail(target[:, :8], target[:, :8])


# ---- masks ------------------------------------------------------------------


def _masks(*values):
  """f32[B, 2, 2, 3] of one value a picture."""
  return np.float32(values).reshape(-1, 1, 1, 1) * np.ones(
    (1, 2, 2, 3), np.float32
  )


def test_bce_by_hand():
  have = jax.jit(pixel.bce)(_masks(0.25, 0.25, 1.0), _masks(1, 0, 1))
  np.testing.assert_allclose(
    have, [np.log(4), np.log(4 / 3), 0], rtol=1e-6, atol=1e-7
  )
  focal = pixel.bce(_masks(0.25, 0.25), _masks(1, 0), gamma=2.0)
  np.testing.assert_allclose(
    focal, [0.75**2 * np.log(4), 0.25**2 * np.log(4 / 3)], rtol=1e-6
  )


@pytest.mark.parametrize('gamma', [0.0, 2.0])
def test_bce_is_finite_and_leads_back_from_certainty(gamma):
  def value(logit, target):
    chance = jax.nn.sigmoid(jnp.full([1, 1, 1, 3], logit))
    return pixel.bce(chance, jnp.full([1, 1, 1, 3], target), gamma=gamma)[0]

  slope = jax.jit(jax.value_and_grad(value))
  for logit in (-200.0, -80.0, -30.0, 30.0, 200.0):
    for target in (0.0, 1.0):
      assert np.all(np.isfinite(slope(logit, target))), (logit, target)
  # A network that is sure of nothing must be able to learn of damage.
  np.testing.assert_allclose(slope(-30.0, 1.0)[1], -1, rtol=1e-5)
  np.testing.assert_allclose(slope(-80.0, 1.0)[1], -1, rtol=1e-5)
  assert slope(14.0, 0.0)[1] > 0.9


def test_dice_by_hand():
  pred, target = np.zeros((2, 1, 1, 4, 3), np.float32)
  pred[..., :2, 0] = 1  # two of four, one of them rightly
  target[..., 1:3, 0] = 1
  pred[..., 0, 1] = 0.5  # nothing is there
  have = jax.jit(pixel.dice)(pred, target)
  first = 1 - (0.5 + 0.01) / (1 + 0.01)
  second = 0.125 / (0.125 + 0.01)
  np.testing.assert_allclose(have, [(first + second) / 3], rtol=1e-5)


def test_dice_of_nothing_is_nothing_and_has_a_slope():
  empty = _masks(0.0)
  np.testing.assert_allclose(pixel.dice(empty, empty), [0], atol=1e-7)
  slope = jax.grad(lambda p: pixel.dice(p, empty)[0])(_masks(0.001))
  assert np.all(slope > 0) and np.all(np.isfinite(slope))
  np.testing.assert_allclose(
    pixel.dice(_masks(1.0), _masks(1.0)), [0], atol=1e-6
  )


@pytest.mark.parametrize('name', ['bce', 'dice'])
def test_masks_refuse_what_pictures_refuse(name):
  pred, target = _pair()
  with pytest.raises(ValueError, match='differ in shape'):
    getattr(pixel, name)(pred, target[:1])
  with pytest.raises(ValueError, match='target is uint8'):
    getattr(pixel, name)(pred, (255 * target).astype(np.uint8))


def test_ab_by_hand():
  lab = np.float32([[60, 20, 10], [60, 0, 0]]).reshape(1, 1, 2, 3)
  target = colour.lab_to_srgb(lab)
  moved = colour.lab_to_srgb(lab + np.float32([15, 3, -4]))  # 5 away, lighter
  distance = 5 * (np.sqrt(2) - 1)
  weights = 1 / (0.5 * np.exp(-np.hypot(20, 10) / 12) + 0.5), 1.0
  np.testing.assert_allclose(
    jax.jit(pixel.ab)(moved, target), [distance * np.mean(weights)], rtol=1e-3
  )
  np.testing.assert_allclose(
    pixel.ab(moved, target, rare=1.0), [distance], rtol=1e-3
  )
  lighter = colour.lab_to_srgb(lab + np.float32([15, 0, 0]))
  np.testing.assert_allclose(pixel.ab(lighter, target), [0], atol=1e-4)


# ---- holes ------------------------------------------------------------------


def test_hole_l1_by_hand():
  target = np.zeros((3, 2, 2, 3), np.float32)
  pred = target + np.float32([0.5, 0.1]).reshape(1, 1, 2, 1)
  mask = np.zeros((3, 2, 2, 1), np.float32)
  mask[0, :, 0] = 1  # where it is off by 0.5; elsewhere by 0.1
  mask[1, 0, 0] = 1
  value = jax.jit(pixel.hole_l1)(pred, target, mask)
  rest = (0.5 + 0.1 + 0.1) / 3
  np.testing.assert_allclose(
    value, [0.5 + 0.01, 0.5 + 0.1 * rest, 0.1 * 0.3], rtol=1e-5
  )
  all_missing = pixel.hole_l1(pred, target, np.ones_like(mask))
  np.testing.assert_allclose(all_missing, 0.3, rtol=1e-5)


def test_hole_psnr_by_hand():
  target = np.zeros((3, 4, 4, 3), np.float32)
  pred = np.zeros_like(target)
  pred[:, :, 0] = 0.1  # as far below 40 dB as 20 dB are
  pred[:, :, 1] = 0.7
  mask = np.zeros((3, 4, 4, 1), np.float32)
  mask[0, :, 0] = mask[1, 1, 0] = 1
  value = jax.jit(pixel.hole_psnr)(pred, target, mask)
  # Of one pixel and of a column; nothing is missing from the third.
  np.testing.assert_allclose(value, [20.0432, 20.0432, 0], rtol=1e-5)
  with pytest.raises(ValueError, match='hole_psnr wants a mask'):
    pixel.total({'hole_psnr': 1.0}, pred, target)


def test_hole_l1_gets_its_mask_and_option_by_name():
  pred, target = _pair()
  mask = np.zeros((2, 32, 40, 1), np.float32)
  mask[:, :9] = 1
  value, terms = pixel.total(
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
  with pytest.raises(ValueError, match='wants a mask'):
    pixel.total({'hole_l1': 1.0}, pred, target)
