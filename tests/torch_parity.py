"""The same network in PyTorch: weights over, numbers compared.

A torch module whose children have the names of the flax ones. Where torch is
not installed the tests that ask for it are skipped.
"""

import adversaries
import jax
import numpy as np
import pytest

LEAVES = {
  'kernel': 'weight',
  'scale': 'weight',
  'slope': 'weight',
  'mean': 'running_mean',
  'var': 'running_var',
  'u': 'weight_u',
  'v': 'weight_v',
}


def torch():
  return pytest.importorskip('torch', reason='compares with torch')


def named(tree, module, square=4):
  """{torch's name: array in torch's layout} of flax weights or statistics.

  Args:
    tree: {layer: {leaf: array}}.
    module: of the same layers.
    square: height and width of what the first dense layer flattens.
  """
  layout = {}
  for layer, leaves in tree.items():
    for leaf, value in leaves.items():
      name, value = f'{layer}.{LEAVES.get(leaf, leaf)}', np.asarray(value)
      if value.ndim == 4:
        value = value.transpose(3, 2, 0, 1)  # HWIO -> OIHW
        if hasattr(getattr(module, layer), 'weight_orig'):
          name += '_orig'
      elif leaf == 'v':
        height, width = getattr(module, layer).kernel_size
        value = value.reshape(height, width, -1).transpose(2, 0, 1).ravel()
      elif layer == 'linear1' and leaf == 'kernel':
        value = value.reshape(square, square, -1, value.shape[-1])
        value = value.transpose(3, 2, 0, 1).reshape(value.shape[-1], -1)
      elif value.ndim == 2:
        value = value.T
      layout[name] = np.ascontiguousarray(value)
  return layout


def differences(model, module, x):
  """{what: largest difference, relative to the largest value} of a network.

  Of the output with train=False and with train=True, of every gradient, and of
  the statistics afterwards. Flax averages the variance of the batch, torch that
  of the population that it is a sample of: the latter is converted.
  """
  torch = globals()['torch']()
  given = adversaries.variables(model, x)
  weights = named(given['params'], module) | named(given['batch_stats'], module)
  state = module.state_dict()
  assert {n for n in state if 'num_batches' not in n} == set(weights)
  module.load_state_dict(
    {**state, **{n: torch.from_numpy(w.copy()) for n, w in weights.items()}}
  )
  counts = {}
  for name, layer in module.named_modules():
    if isinstance(layer, torch.nn.BatchNorm2d):
      layer.register_forward_pre_hook(
        lambda _, args, name=name: counts.__setitem__(
          name, args[0].numel() // args[0].shape[1]
        )
      )

  def nhwc(y):
    y = y.detach().numpy()
    return y.transpose(0, 2, 3, 1) if y.ndim == 4 else y

  first = lambda y: y[0] if isinstance(y, tuple) else y
  xt = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
  pairs = {
    'eval': (first(jax.jit(model.apply)(given, x)), nhwc(module.eval()(xt)))
  }
  (_, (y, stats)), grads = adversaries.training(model, given, x)
  out = module.train()(xt)
  ((out**2).mean() + out.mean()).backward()
  pairs['train'] = (first(y), nhwc(out))
  for name, grad in named(grads, module).items():
    pairs[f'gradient of {name}'] = (
      grad,
      module.get_parameter(name).grad.numpy(),
    )
  for name, value in named(stats, module).items():
    new, old = module.get_buffer(name).numpy(), weights[name]
    if name.endswith('running_var'):
      count = counts[name.rpartition('.')[0]]
      new = 0.9 * old + (new - 0.9 * old) * (count - 1) / count
    pairs[f'statistic {name}'] = (value, new)
  return {
    what: float(np.abs(a - b).max() / np.abs(b).max())
    for what, (a, b) in pairs.items()
  }


def assert_same(model, module, x, tolerance=1e-4):
  found = differences(model, module, x)
  assert len(found) > 10
  assert {w: d for w, d in found.items() if not d < tolerance} == {}
