"""ResUNet: torchvision's encoder by numbers, any size, PyTorch's results."""

import adversaries
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch_parity

from artjax.interop import safetensors_io
from artjax.interop import torchvision
from artjax.models import resunet


def built(**fields):
  return resunet.ResUNet(**{'width': 4, 'axis_name': None, **fields})


def count(model, channels, part=None):
  shape = jax.ShapeDtypeStruct([1, 64, 64, channels], jnp.float32)
  params = jax.eval_shape(model.init, jax.random.key(0), shape)['params']
  return sum(x.size for x in jax.tree.leaves(params[part] if part else params))


@pytest.mark.parametrize('norm', resunet.NORMS)
@pytest.mark.parametrize(
  'depth, channels, parameters',
  [
    (18, 3, 11_176_512),
    (34, 3, 21_284_672),
    (18, 1, 11_170_240),
    (34, 1, 21_278_400),
  ],
)
def test_encoder_has_resnets_parameters(norm, depth, channels, parameters):
  # torchvision's 11,689,512 and 21,797,672 without 513,000 of the classifier.
  model = resunet.ResUNet(depth=depth, norm=norm)
  assert count(model, channels, 'encoder') == parameters


@pytest.mark.parametrize(
  'fields, parameters',
  [
    ({}, 13_016_140),
    ({'depth': 34}, 23_124_300),
    ({'width': 24, 'coordinates': True}, 1_836_132),
  ],
)
def test_parameters_in_all(fields, parameters):
  assert count(resunet.ResUNet(**fields), 1) == parameters


@pytest.mark.parametrize('norm', resunet.NORMS)
def test_any_size_and_every_gradient(norm):
  model = built(norm=norm, coordinates=True)
  x = adversaries.pictures(2, 45, 70, 1)
  given = {'batch_stats': {}, **adversaries.variables(model, x)}
  (_, (y, _)), grads = adversaries.training(model, given, x)
  assert y.shape == (2, 45, 70, 3) and y.dtype == jnp.float32
  adversaries.assert_every_gradient(grads)


def test_half_precision():
  x = jax.ShapeDtypeStruct([1, 32, 32, 1], jnp.float32)
  y, given = jax.eval_shape(
    built(dtype=jnp.bfloat16).init_with_output, jax.random.key(0), x
  )
  assert y.dtype == jnp.float32
  assert {p.dtype for p in jax.tree.leaves(given)} == {jnp.dtype('float32')}


def test_coordinates_tell_where():
  y = resunet._coordinates(jnp.zeros([2, 3, 5, 7]))
  assert y.shape == (2, 3, 5, 2)
  np.testing.assert_array_equal(y[1, :, 0, 0], [-1, 0, 1])
  np.testing.assert_array_equal(y[1, 0, :, 1], [-1, -0.5, 0, 0.5, 1])


def test_max_pool_is_the_usual_one():
  x = jax.nn.relu(jax.random.normal(jax.random.key(0), [2, 10, 14, 3]))
  want = jax.lax.reduce_window(
    x,
    -jnp.inf,
    jax.lax.max,
    (1, 3, 3, 1),
    (1, 2, 2, 1),
    ((0, 0), (1, 1), (1, 1), (0, 0)),
  )
  np.testing.assert_array_equal(resunet.max_pool(x), want)


@pytest.mark.parametrize(
  'fields, says',
  [
    ({'depth': 50}, 'depth=50 is not one of 18, 34'),
    ({'norm': 'layer'}, "norm='layer' is not one of batch, group"),
  ],
)
def test_what_there_is_not(fields, says):
  with pytest.raises(ValueError, match=says):
    jax.eval_shape(
      built(**fields).init, jax.random.key(0), jnp.zeros([1, 32, 32, 1])
    )


def torch_encoder(depth):
  """torchvision's ResNet without its classifier, from its description."""
  torch = torch_parity.torch()
  nn = torch.nn

  class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
      super().__init__()
      self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
      self.bn1 = nn.BatchNorm2d(outputs)
      self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
      self.bn2 = nn.BatchNorm2d(outputs)
      if stride > 1:
        self.downsample = nn.Sequential(
          nn.Conv2d(inputs, outputs, 1, stride, bias=False),
          nn.BatchNorm2d(outputs),
        )

    def forward(self, x):
      y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
      return torch.relu(
        y + (self.downsample(x) if hasattr(self, 'downsample') else x)
      )

  class Net(nn.Module):
    def __init__(self):
      super().__init__()
      self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
      self.bn1 = nn.BatchNorm2d(64)
      self.pool = nn.MaxPool2d(3, 2, 1)
      inputs = 64
      for stage, blocks in enumerate(resunet.BLOCKS[depth]):
        layer, outputs = [], 64 * 2**stage
        for i in range(blocks):
          layer.append(Block(inputs, outputs, 2 if stage and not i else 1))
          inputs = outputs
        setattr(self, f'layer{stage + 1}', nn.Sequential(*layer))
      self.fc = nn.Linear(512, 1000)

    def forward(self, x):
      levels = [torch.relu(self.bn1(self.conv1(x)))]
      y = self.pool(levels[0])
      for stage in range(1, 5):
        y = getattr(self, f'layer{stage}')(y)
        levels.append(y)
      return levels

  return Net()


@pytest.mark.parametrize('depth', resunet.BLOCKS)
def test_encoder_agrees_with_torch(depth):
  torch = torch_parity.torch()
  torch.manual_seed(0)
  net = torch_encoder(depth).eval()
  for module in net.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
      module.running_mean.normal_(0, 0.1)
      module.running_var.uniform_(0.5, 2)
  tensors = {name: value.numpy() for name, value in net.state_dict().items()}
  model, params = torchvision.resnet_encoder(tensors)
  assert model['args'] == {'depth': depth, 'norm': 'batch'}
  grey = np.random.default_rng(0).standard_normal((1, 64, 96, 1), np.float32)
  encoder = resunet.Encoder(depth, 64, 'batch', None)
  ours = encoder.apply(
    {
      'params': params['encoder'],
      'batch_stats': params[safetensors_io.STATS]['encoder'],
    },
    grey,
  )
  with torch.no_grad():
    theirs = net(torch.from_numpy(grey).permute(0, 3, 1, 2).repeat(1, 3, 1, 1))
  for one, other in zip(ours, theirs):
    other = other.permute(0, 2, 3, 1).numpy()
    assert np.abs(one - other).max() < 1e-4 * np.abs(other).max()
