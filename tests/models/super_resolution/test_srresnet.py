"""SRResNet, MSRResNet: counts, any size, statistics, the same as in torch."""

import adversaries
from conftest import random_params
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch_parity

from artjax.models import layers
from artjax.models.super_resolution import srresnet


def picture(h, w):
  return np.random.default_rng(0).random([1, h, w, 3], np.float32)


@pytest.mark.parametrize(
  'cls, parameters',
  [(srresnet.MSRResNet, 1_517_571), (srresnet.SRResNet, 1_548_547)],
)
def test_published_parameter_count(cls, parameters):
  assert adversaries.parameters(cls(), picture(8, 8)) == parameters


def test_any_size_and_every_gradient():
  model = srresnet.MSRResNet(features=6, blocks=2)
  params, x = random_params(model, 0.1), picture(7, 10)

  def loss(params):
    y = model.apply({'params': params}, x)
    return (y**2).mean(), y

  grads, y = jax.jit(jax.grad(loss, has_aux=True))(params)
  assert y.shape == (1, 28, 40, 3) and y.dtype == jnp.float32
  for path, grad in jax.tree.leaves_with_path(grads):
    assert np.abs(grad).max() > 0, jax.tree_util.keystr(path)


def small(**fields):
  return srresnet.SRResNet(features=6, blocks=2, **fields)


def test_norms_any_size_and_every_gradient():
  model, x = small(axis_name=None), picture(7, 10)
  (_, (y, _)), grads = adversaries.training(
    model, adversaries.variables(model, x), x
  )
  assert y.shape == (1, 28, 40, 3) and y.dtype == jnp.float32
  adversaries.assert_every_gradient(grads)


@pytest.mark.parametrize('train', [False, True])
def test_starts_near_the_enlarged_picture(train):
  model, x = srresnet.SRResNet(blocks=1, axis_name=None), picture(16, 16)
  given = jax.jit(model.init)(jax.random.key(0), x)
  y, _ = jax.jit(
    lambda v: model.apply(v, x, train=train, mutable=['batch_stats'])
  )(given)
  difference = y - layers.upsample_nearest(x, 4)
  assert 0 < np.sqrt((difference**2).mean()) < 0.05


def test_statistics_change_in_training_only():
  model, x = small(axis_name=None), picture(8, 8)
  adversaries.assert_still_without_train(
    model, adversaries.variables(model, x), x
  )


def test_statistics_are_those_of_all_devices():
  model, x = small(), adversaries.pictures(8, 6, 6, 3)
  adversaries.assert_devices_make_one_batch(
    model, adversaries.variables(model, x), x
  )


def test_halo_is_all_that_is_seen():
  model, x = small(), picture(8, 40)
  given = adversaries.variables(model, x)
  grad = jax.jit(jax.grad(lambda x: model.apply(given, x)[0, 16, 80].sum()))(x)
  seen = np.flatnonzero(np.abs(grad).sum((0, 1, 3)))
  assert (20 - seen[0], seen[-1] - 20) == (model.halo, model.halo - 1)


def in_torch(features, blocks):
  nn = torch_parity.torch().nn

  class Published(nn.Module):
    """The figure of the paper, its two sums and two pixel shuffles."""

    def __init__(self):
      super().__init__()
      self.conv_first = nn.Conv2d(3, features, 9, 1, 4)
      self.prelu_first = nn.PReLU(features)
      for i in range(blocks):
        self.add_norm(f'body{i}_1')
        self.add_module(f'body{i}_prelu', nn.PReLU(features))
        self.add_norm(f'body{i}_2')
      self.add_norm('body')
      for i in (1, 2):
        self.add_module(
          f'upconv{i}', nn.Conv2d(features, 4 * features, 3, 1, 1)
        )
        self.add_module(f'prelu_up{i}', nn.PReLU(features))
      self.conv_last = nn.Conv2d(features, 3, 9, 1, 4)

    def add_norm(self, name):
      self.add_module(
        f'{name}_conv', nn.Conv2d(features, features, 3, 1, 1, bias=False)
      )
      self.add_module(f'{name}_bn', nn.BatchNorm2d(features))

    def forward(self, x):
      get = lambda name: getattr(self, name)
      norm = lambda name, y: get(f'{name}_bn')(get(f'{name}_conv')(y))
      y = first = self.prelu_first(self.conv_first(x))
      for i in range(blocks):
        z = get(f'body{i}_prelu')(norm(f'body{i}_1', y))
        y = y + norm(f'body{i}_2', z)
      y = first + norm('body', y)
      for i in (1, 2):
        y = nn.functional.pixel_shuffle(get(f'upconv{i}')(y), 2)
        y = get(f'prelu_up{i}')(y)
      return self.conv_last(y)

  return Published()


def test_is_the_papers_in_torch():
  torch_parity.assert_same(
    small(axis_name=None), in_torch(6, 2), adversaries.pictures(3, 7, 10, 3)
  )
