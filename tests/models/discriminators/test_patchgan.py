"""PatchGAN: published count and field, its norms, the same as in torch."""

import adversaries
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch_parity

from artjax.models.discriminators import patchgan


def built(**fields):
  return patchgan.PatchGAN(**fields)


@pytest.mark.parametrize(
  'channels, parameters', [(6, 2_768_705), (3, 2_765_633)]
)
def test_published_parameter_count(channels, parameters):
  x = adversaries.pictures(1, 32, 32, channels)
  assert adversaries.parameters(built(), x) == parameters


@pytest.mark.parametrize('norm', patchgan.NORMS)
def test_shapes_and_every_gradient(norm):
  x = adversaries.pictures(2, 40, 51, 3)
  model = built(features=4, norm=norm, axis_name=None)
  given = {'batch_stats': {}, **adversaries.variables(model, x)}
  (_, ((logits, seen), _)), grads = adversaries.training(model, given, x)
  assert logits.shape == (2, 3, 4, 1) and logits.dtype == jnp.float32
  assert [y.shape[1:] for y in seen] == [
    (20, 25, 4),
    (10, 12, 8),
    (5, 6, 16),
    (4, 5, 32),
  ]
  adversaries.assert_every_gradient(grads)
  adversaries.assert_half_precision(model, x)


@pytest.mark.parametrize('n_layers, field', [(1, 16), (3, 70)])
def test_a_logit_sees_its_patch(n_layers, field):
  model = built(features=2, n_layers=n_layers)
  x = adversaries.pictures(1, 104, 104, 3)
  given = adversaries.variables(model, x)

  def middle(x):
    logits, _ = model.apply(given, x)
    return logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]

  grad = np.abs(jax.jit(jax.grad(middle))(x))[0].sum(-1)
  for axis in (0, 1):
    seen = np.flatnonzero(grad.sum(axis))
    assert len(seen) == seen[-1] - seen[0] + 1 == field


@pytest.mark.parametrize('norm', ['batch', 'spectral'])
def test_statistics_change_in_training_only(norm):
  model = built(features=4, norm=norm, axis_name=None)
  x = adversaries.pictures(2, 32, 32, 3)
  adversaries.assert_still_without_train(
    model, adversaries.variables(model, x), x
  )


def test_statistics_are_those_of_all_devices():
  model, x = built(features=4), adversaries.pictures(8, 32, 32, 3)
  adversaries.assert_devices_make_one_batch(
    model, adversaries.variables(model, x), x
  )


def test_what_is_wrong_is_named():
  with pytest.raises(ValueError, match="norm='group' is not one of batch"):
    adversaries.parameters(
      built(norm='group'), adversaries.pictures(1, 32, 32, 3)
    )
  with pytest.raises(ValueError, match='23 x 64 px.* 24 px or more'):
    adversaries.parameters(built(), adversaries.pictures(1, 23, 64, 3))
  adversaries.parameters(built(), adversaries.pictures(1, 24, 24, 3))


def in_torch(features, channels):
  nn = torch_parity.torch().nn

  class Published(nn.Module):
    """Four by four throughout; the last two keep the size, but for a pixel."""

    def __init__(self):
      super().__init__()
      self.conv0 = nn.Conv2d(channels, features, 4, 2, 1)
      for i, stride in ((1, 2), (2, 2), (3, 1)):
        before = features * 2 ** (i - 1)
        self.add_module(
          f'conv{i}', nn.Conv2d(before, 2 * before, 4, stride, 1, bias=False)
        )
        self.add_module(f'bn{i}', nn.BatchNorm2d(2 * before))
      self.conv_last = nn.Conv2d(8 * features, 1, 4, 1, 1)

    def forward(self, x):
      lrelu = nn.LeakyReLU(0.2)
      x = lrelu(self.conv0(x))
      for i in (1, 2, 3):
        x = lrelu(getattr(self, f'bn{i}')(getattr(self, f'conv{i}')(x)))
      return self.conv_last(x)

  return Published()


def test_is_the_published_one_in_torch():
  torch_parity.assert_same(
    built(features=4, axis_name=None),
    in_torch(4, 6),
    adversaries.pictures(3, 33, 40, 6),
  )
