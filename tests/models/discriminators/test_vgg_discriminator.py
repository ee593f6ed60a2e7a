"""VGGStyleDiscriminator: published count, statistics, the same as in torch."""

import adversaries
import jax.numpy as jnp
import numpy as np
import pytest
import torch_parity

from artjax.models.discriminators import vgg_discriminator

SMALL = {'features': 4, 'input_size': 32, 'axis_name': None}


def built(**fields):
  return vgg_discriminator.VGGStyleDiscriminator(**fields)


def test_published_parameter_count():
  x = adversaries.pictures(1, 128, 128, 3)
  assert adversaries.parameters(built(), x) == 14_499_401


def test_shapes_and_every_gradient():
  x = adversaries.pictures(2, 32, 32, 3)
  model = built(**SMALL)
  (_, ((logits, seen), _)), grads = adversaries.training(
    model, adversaries.variables(model, x), x
  )
  assert logits.shape == (2, 1) and logits.dtype == jnp.float32
  assert [y.shape[1:] for y in seen] == [
    (32, 32, 4),
    (16, 16, 4),
    (16, 16, 8),
    (8, 8, 8),
    (8, 8, 16),
    (4, 4, 16),
  ]
  adversaries.assert_every_gradient(grads)
  adversaries.assert_half_precision(model, x)


def test_statistics_change_in_training_only():
  model, x = built(**SMALL), adversaries.pictures(4, 32, 32, 3)
  adversaries.assert_still_without_train(
    model, adversaries.variables(model, x), x
  )


def test_statistics_are_those_of_all_devices():
  model = built(features=4, input_size=16)
  x = adversaries.pictures(8, 16, 16, 3)
  adversaries.assert_devices_make_one_batch(
    model, adversaries.variables(model, x), x
  )


@pytest.mark.parametrize(
  'fields, size, message',
  [
    ({}, (64, 64), '64 x 64 px, but input_size=128'),
    ({'input_size': 32}, (32, 33), '32 x 33 px, but input_size=32'),
    ({'input_size': 96}, (96, 96), 'input_size=96 is not 8 or'),
    ({'input_size': 4}, (4, 4), 'input_size=4 is not 8 or'),
  ],
)
def test_wrong_sizes_are_named(fields, size, message):
  x = np.zeros([1, *size, 3], np.float32)
  with pytest.raises(ValueError, match=message):
    adversaries.parameters(built(**fields), x)


def in_torch(features, size):
  nn = torch_parity.torch().nn

  class Published(nn.Module):
    """Two convolutions a level: one that widens, one that halves."""

    def __init__(self):
      super().__init__()
      before, self.order = 3, []
      for level in range(size.bit_length() - 3):
        after = min(features * 2**level, features * 8)
        first = level == 0
        self.add(
          f'{level}_0',
          nn.Conv2d(before, after, 3, 1, 1, bias=first),
          None if first else nn.BatchNorm2d(after),
        )
        self.add(
          f'{level}_1',
          nn.Conv2d(after, after, 4, 2, 1, bias=False),
          nn.BatchNorm2d(after),
        )
        before = after
      self.linear1 = nn.Linear(before * 4 * 4, 100)
      self.linear2 = nn.Linear(100, 1)
      self.lrelu = nn.LeakyReLU(0.2)

    def add(self, name, conv, norm):
      self.add_module(f'conv{name}', conv)
      if norm is not None:
        self.add_module(f'bn{name}', norm)
      self.order.append((conv, norm or nn.Identity()))

    def forward(self, x):
      for conv, norm in self.order:
        x = self.lrelu(norm(conv(x)))
      return self.linear2(self.lrelu(self.linear1(x.flatten(1))))

  return Published()


def test_is_the_published_one_in_torch():
  torch_parity.assert_same(
    built(**SMALL), in_torch(4, 32), adversaries.pictures(6, 32, 32, 3)
  )
