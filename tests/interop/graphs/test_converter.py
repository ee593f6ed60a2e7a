"""JAX functions as ONNX graphs: a runtime computes what JAX computes."""

import jax
import jax.numpy as jnp
import ml_collections
import numpy as np
import pytest

from artjax import registry
from artjax.interop import safetensors_io
from artjax.interop.graphs import converter
from artjax.interop.graphs import graph
from artjax.models import cpu_convolutions
from artjax.models import layers

_REASON = 'needs onnx and onnxruntime (pip install "artjax[onnx]")'
pytest.importorskip('onnx', reason=_REASON)
runtime = pytest.importorskip('onnxruntime', reason=_REASON)
PICTURE = (1, 8, 12, 6)


def random(*shape):
  return np.random.default_rng(shape).standard_normal(shape).astype(np.float32)


def proto_of(run, *arrays):
  inputs = {f'x{i}': array for i, array in enumerate(arrays)}
  closed = converter.trace(run, inputs)
  return converter.convert(closed, list(inputs)), inputs


def by_runtime(run, *arrays):
  """What ONNX Runtime makes of it."""
  proto, inputs = proto_of(run, *arrays)
  session = runtime.InferenceSession(
    proto.SerializeToString(), providers=['CPUExecutionProvider']
  )
  used = {found.name for found in session.get_inputs()}
  feed = {name: x for name, x in inputs.items() if name in used}
  return session.run(None, feed)[0]


def check(run, *arrays, tolerance=1e-5):
  want = np.asarray(jax.jit(run)(*arrays))
  have = by_runtime(run, *arrays)
  assert have.shape == want.shape
  assert np.abs(have - want).max() <= tolerance * max(1, np.abs(want).max())
  assert np.ptp(want) > 0  # it is not a constant


def conv(x, kernel, strides=(1, 1), padding='SAME', **how):
  numbers = ('NHWC', 'HWIO', 'NHWC')
  return jax.lax.conv_general_dilated(
    x, kernel, strides, padding, dimension_numbers=numbers, **how
  )


def twice_a_row(x):
  """A loop from the last row to the first, whose rows are kept."""
  step = lambda total, row: (total + row, total * row)
  total, rows = jax.lax.scan(step, 0 * x[0], x, reverse=True)
  return rows + total[None]


FUNCTIONS = {
  'elementwise': lambda x: jnp.tanh(x) * jnp.exp(-jnp.abs(x)) - x**3 / 4,
  'roots': lambda x: jax.lax.rsqrt(x * x + 1) + jnp.log1p(jnp.sqrt(x * x)),
  'erf': lambda x: jax.nn.gelu(x, approximate=False),
  'choice': lambda x: jnp.where((x > 0.2) & (x != 0.3), x, 7.0),
  'clip': lambda x: jnp.clip(x, -0.5, 0.4),
  'leaky': lambda x: jax.nn.leaky_relu(x, 0.1),
  'not leaky': lambda x: jnp.where(x > 0.5, x, 0.1 * x),
  'prelu': lambda x: jnp.where(
    x > 0, x, x * jnp.arange(6.0).reshape(1, 1, 1, 6)
  ),
  'mean': lambda x: x - x.mean((1, 2), keepdims=True),
  'means of rows': lambda x: x.mean(2).max(-1),
  'broadcast': lambda x: x[:, :, :1] * x[:, :1] + jnp.ones_like(x),
  'unshuffle': lambda x: layers.pixel_unshuffle(x, 2) + 1,
  'shuffle': lambda x: layers.pixel_shuffle(x[..., :4], 2),
  'shuffled twice': lambda x: layers.pixel_unshuffle(
    layers.pixel_shuffle(x[..., :4] ** 2, 2), 4
  ),
  'turned': lambda x: x.transpose(0, 2, 1, 3)[:, ::2].reshape(1, -1, 6) + 1,
  'joined': lambda x: (x.reshape(-1, 6) @ random(6, 5)).reshape(1, 8, 12, 5),
  'flat': lambda x: x.reshape(-1)[None] * 2,
  'repeat': lambda x: layers.upsample_nearest(x, 2),
  'upsample': lambda x: layers.upsample(x, 2),
  'downsample': lambda x: layers.downsample2(x) * 2,
  'stack': lambda x: jnp.stack([x, 2 * x], 3) + jnp.stack([x, x], 3),
  'concatenate': lambda x: jnp.concatenate(
    [x.mean((1, 2))[:, None], x[:, 2]], 1
  ),
  'split': lambda x: jnp.multiply(*jnp.split(x, [3], -1)),
  'roll': lambda x: jnp.roll(x, (2, 3), (1, 2)),
  'flip': lambda x: x[:, ::-1, :, ::-1] + x,
  'pad': lambda x: jnp.pad(x, ((0, 0), (1, 2), (0, 0), (0, 1))) + 1,
  'crop': lambda x: jax.lax.pad(
    x, 0.0, ((0, 0, 0), (-1, 2, 0), (1, -3, 0), (0, 0, 0))
  ),
  'reflect': lambda x: jnp.pad(x, ((0, 0), (2, 1), (1, 2), (0, 0)), 'reflect'),
  'gather': lambda x: x[:, np.array([3, 0, 5])] * x[..., 2:3, :][:, :3],
  'sort': lambda x: jnp.sort(x, 2)[:, :, ::3],
  'softmax': lambda x: jax.nn.softmax(x, -1),
  'matrices': lambda x: jnp.einsum('bhwc,bhvc->bhwv', x, x[:, :, :7]),
  'attention over rows': lambda x: jnp.einsum('yh,bhxc->byxc', random(3, 8), x),
  'conv': lambda x: conv(x, random(3, 3, 6, 4)),
  'strided': lambda x: conv(x, random(3, 3, 6, 4), (2, 2)),
  'dilated': lambda x: conv(x, random(3, 3, 6, 4), rhs_dilation=(2, 2)),
  'grouped': lambda x: conv(x, random(3, 3, 3, 4), feature_group_count=2),
  'transposed': lambda x: conv(
    x, random(3, 3, 6, 4), padding=[(1, 2)] * 2, lhs_dilation=(2, 2)
  ),
  'depthwise': lambda x: cpu_convolutions.depthwise3x3(x, random(3, 3, 6)),
  'maximum': lambda x: jax.lax.reduce_window(
    x, -jnp.inf, jax.lax.max, (1, 3, 2, 1), (1, 2, 1, 1), 'SAME'
  ),
  'norm': layers.normalize,
  'scan': lambda x: twice_a_row(x[0])[None],
  'constants': lambda x: x + jnp.arange(12.0)[None, None, :, None],
}


@pytest.mark.parametrize('name', FUNCTIONS)
def test_computes_what_jax_computes(name):
  check(FUNCTIONS[name], random(*PICTURE))


def test_several_pictures_and_inputs():
  dense = lambda x, y: (x * y).reshape(-1, 6) @ random(6, 3)
  check(dense, random(2, 4, 6, 6), random(1, 1, 1, 6))
  check(lambda x, unused: x * x, random(2, 3), random(4))
  check(lambda x, number: x * number, random(2, 3), random())


def test_a_chain_of_convolutions_turns_the_picture_once_each_way():
  def run(x):
    for _ in range(3):
      x = layers.leaky_relu(conv(x, random(3, 3, 6, 6)) + random(1, 1, 1, 6))
      x = x + x.reshape(-1, 6).__matmul__(random(6, 6)).reshape(x.shape)
    return x

  proto, _ = proto_of(run, random(*PICTURE))
  constants = {one.name for one in proto.graph.initializer}
  turns = [
    node
    for node in proto.graph.node
    if node.op_type == 'Transpose' and node.input[0] not in constants
  ]
  assert len(turns) == 2
  assert [n.op_type for n in proto.graph.node].count('PRelu') == 3


@pytest.mark.parametrize(
  'run, says',
  [
    (jnp.cumsum, 'cumsum'),
    (lambda x: jnp.argsort(x, -1) * 1.0, 'sort of several'),
    (lambda x: jax.lax.while_loop(lambda x: False, jnp.sin, x), 'while'),
    (lambda x: jnp.floor_divide(x.astype(int), 3) * 1.0, 'sign|rem|integers'),
  ],
)
def test_what_cannot_be_translated_is_named(run, says):
  with pytest.raises(graph.Unsupported, match=says):
    proto_of(run, random(4))


NETWORKS = {
  'detector': ('detector.Detector', {'features': (8, 8), 'blocks': (1, 1)}),
  'structure': (
    'nafnet.NAFNet',
    {
      'width': 8,
      'enc_blocks': (1, 1),
      'middle_blocks': 1,
      'dec_blocks': (1, 1),
      'stem': 2,
      'confidence': True,
      'window': 16,
      'bound': 0.1,
    },
  ),
  'unet': ('unet.UNet', {'features': (8, 8), 'blocks': (1, 1)}),
  'compact': ('srvgg.SRVGGNetCompact', {'features': 8, 'convs': 2}),
  'rrdb': ('rrdb.RRDBNet', {'features': 8, 'growth': 4, 'blocks': 2}),
  'span': ('span.SPAN', {'features': 8}),
  'restormer': (  # flax leaves equations of its loop that nothing uses
    'restormer.Restormer',
    {'features': 8, 'heads': (2,), 'blocks': (2,), 'refinement': 0},
  ),
  'inpaint': (
    'inpaint.GatedUNet',
    {'features': (4, 4), 'blocks': (1,), 'dilations': (2,)},
  ),
}


@pytest.mark.parametrize('name', NETWORKS)
def test_networks_are_equal_to_a_level(name):
  model, args = NETWORKS[name]
  config = ml_collections.ConfigDict({'model': {'name': model, 'args': args}})
  channels = 4 if name == 'inpaint' else 3
  network = registry.model(config)
  shapes = safetensors_io.merge(registry.variables(config, channels))
  rng = np.random.default_rng(0)
  params = jax.tree.map(  # above zero, for variances are among them
    lambda s: np.float32(0.02 + 0.1 * rng.random(s.shape)), shapes
  )
  x = rng.random((1, 48, 64, channels), np.float32)
  x[..., 3:] = x[..., 3:] > 0.7
  context = rng.random((1, 16, 16, 3), np.float32)

  def run(x, context):
    return network.apply(safetensors_io.variables(params), x, context=context)

  check(run, x, context, tolerance=1 / 2550)
