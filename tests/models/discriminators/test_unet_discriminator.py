"""UNetDiscriminatorSN: published count, spectral norm, the same as in torch."""

import adversaries
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch_parity

from artjax.models.discriminators import unet_discriminator


def built(**fields):
  return unet_discriminator.UNetDiscriminatorSN(**fields)


def test_published_parameter_count():
  x = adversaries.pictures(1, 16, 16, 3)
  assert adversaries.parameters(built(), x) == 4_376_897


def test_shapes_and_every_gradient():
  x = adversaries.pictures(2, 16, 24, 3)
  model = built(features=4)
  (_, ((logits, seen), _)), grads = adversaries.training(
    model, adversaries.variables(model, x), x
  )
  assert logits.shape == (2, 16, 24, 1) and logits.dtype == jnp.float32
  assert [y.shape[1:] for y in seen] == (
    4 * [(16, 24, 4)] + 2 * [(8, 12, 8)] + 2 * [(4, 6, 16)] + [(2, 3, 32)]
  )
  adversaries.assert_every_gradient(grads)
  adversaries.assert_half_precision(model, x)


def test_statistics_change_in_training_only():
  model, x = built(features=4), adversaries.pictures(1, 16, 16, 3)
  adversaries.assert_still_without_train(
    model, adversaries.variables(model, x), x
  )


def test_largest_singular_value_is_one():
  model, x = built(features=8), adversaries.pictures(1, 8, 8, 3)
  given = jax.jit(model.init)(jax.random.key(0), x)
  norms = lambda given: [
    adversaries.spectral_norm(given['params'][name]['kernel'], stats)
    for name, stats in given['batch_stats'].items()
  ]
  # Not far off before any training, and there after some of it.
  np.testing.assert_allclose(norms(given), 8 * [1], atol=0.1)
  trained = jax.jit(
    lambda given: jax.lax.fori_loop(
      0,
      100,
      lambda _, stats: model.apply(
        {**given, 'batch_stats': stats}, x, train=True, mutable=['batch_stats']
      )[1]['batch_stats'],
      given['batch_stats'],
    )
  )
  given['batch_stats'] = trained(given)
  np.testing.assert_allclose(norms(given), 8 * [1], atol=1e-3)


def test_size_of_kernels_does_not_matter():
  model, x = built(features=4), adversaries.pictures(1, 16, 16, 3)
  given = adversaries.variables(model, x)
  run = jax.jit(lambda given: model.apply(given, x)[0])
  scaled = {
    name: {
      leaf: value * (3 if name in given['batch_stats'] else 1)
      for leaf, value in leaves.items()
    }
    for name, leaves in given['params'].items()
  }
  np.testing.assert_allclose(
    run({**given, 'params': scaled}), run(given), rtol=1e-4, atol=1e-5
  )


def test_wrong_size_is_named():
  with pytest.raises(ValueError, match='16 x 20 px.*multiples of 8'):
    adversaries.parameters(built(), np.zeros([1, 16, 20, 3], np.float32))


def in_torch(features):
  torch = torch_parity.torch()
  nn = torch.nn

  class Published(nn.Module):
    """Halves three times, and back with what was seen on the way."""

    def __init__(self):
      super().__init__()
      sn = nn.utils.spectral_norm
      wide = [features * 2**i for i in range(4)]
      self.conv0 = nn.Conv2d(3, features, 3, 1, 1)
      for i in range(3):
        self.add_module(
          f'conv{i + 1}',
          sn(nn.Conv2d(wide[i], wide[i + 1], 4, 2, 1, bias=False)),
        )
        self.add_module(
          f'conv{6 - i}',
          sn(nn.Conv2d(wide[i + 1], wide[i], 3, 1, 1, bias=False)),
        )
      for i in (7, 8):
        self.add_module(
          f'conv{i}', sn(nn.Conv2d(features, features, 3, 1, 1, bias=False))
        )
      self.conv9 = nn.Conv2d(features, 1, 3, 1, 1)

    def forward(self, x):
      lrelu = lambda y: nn.functional.leaky_relu(y, 0.2)
      up = lambda y: nn.functional.interpolate(
        y, scale_factor=2, mode='bilinear', align_corners=False
      )
      x0 = lrelu(self.conv0(x))
      x1 = lrelu(self.conv1(x0))
      x2 = lrelu(self.conv2(x1))
      x3 = lrelu(self.conv3(x2))
      y = lrelu(self.conv4(up(x3))) + x2
      y = lrelu(self.conv5(up(y))) + x1
      y = lrelu(self.conv6(up(y))) + x0
      return self.conv9(lrelu(self.conv8(lrelu(self.conv7(y)))))

  return Published()


def test_is_the_published_one_in_torch():
  torch_parity.assert_same(
    built(features=4), in_torch(4), adversaries.pictures(2, 16, 24, 3)
  )
