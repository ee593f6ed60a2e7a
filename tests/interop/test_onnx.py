"""ONNX files: what a runtime makes of them is what the model makes."""

import functools
import json

import jax
import ml_collections
import numpy as np
import pytest

from artjax import registry
from artjax.interop import onnx as onnx_export
from artjax.interop import safetensors_io
from artjax.models import layers

_REASON = 'needs jax2onnx and onnxruntime (make export-setup)'
pytest.importorskip('jax2onnx', reason=_REASON)
onnx = pytest.importorskip('onnx', reason=_REASON)
runtime = pytest.importorskip('onnxruntime', reason=_REASON)

MODELS = {
  'rrdbnet': ('rrdb.RRDBNet', {'features': 8, 'growth': 4, 'blocks': 2}),
  'compact': ('srvgg.SRVGGNetCompact', {'features': 6, 'convs': 2}),
  'srresnet': ('srresnet.SRResNet', {'features': 6, 'blocks': 2}),
  'unet': ('unet.UNet', {'features': (8, 16), 'blocks': (1, 1)}),
}


def config(key):
  name, args = MODELS[key]
  return ml_collections.ConfigDict(
    {'task': 'restore', 'model': {'name': name, 'args': args}}
  )


def noise(*shape):
  return np.random.default_rng(shape).random(shape, np.float32)


def random_weights(key):
  shapes = safetensors_io.merge(registry.variables(config(key)))
  rng = np.random.default_rng(0)
  # Above zero, for variances are among them.
  return jax.tree.map(lambda s: 0.1 * rng.random(s.shape, np.float32), shapes)


@functools.cache
def converted(key):
  """(weights, proto, the session that runs it)."""
  params = random_weights(key)
  proto = onnx_export.convert(config(key), params, step=7)
  return (
    params,
    proto,
    runtime.InferenceSession(
      proto.SerializeToString(), providers=['CPUExecutionProvider']
    ),
  )


@pytest.mark.parametrize('key', ['rrdbnet', 'compact', 'srresnet'])
def test_any_size_gives_what_the_model_gives(key):
  params, _, session = converted(key)
  model = registry.model(config(key))
  for shape in ((2, 13, 18), (1, 24, 9)):
    x = noise(*shape, 3)
    (y,) = session.run(['output'], {'input': x.transpose(0, 3, 1, 2)})
    want = np.asarray(model.apply(safetensors_io.variables(params), x))
    np.testing.assert_allclose(
      y.transpose(0, 2, 3, 1), want, atol=1e-4 * np.abs(want).max()
    )
    assert np.abs(want - layers.upsample_nearest(x, 4)).max() > 1e-2


def test_the_file_says_what_it_is():
  proto = converted('compact')[1]
  said = {x.key: x.value for x in proto.metadata_props}
  assert said['scale'] == '4' and 'NCHW' in said['layout']
  header = json.loads(said['artjax'])
  assert header['step'] == 7
  assert header['config']['model']['name'] == 'srvgg.SRVGGNetCompact'
  kind = proto.graph.input[0].type.tensor_type
  assert kind.elem_type == onnx.TensorProto.FLOAT
  names = [d.dim_param or d.dim_value for d in kind.shape.dim]
  assert names[1] == 3 and len(set(names)) == 4


def test_what_cannot_be_converted_is_named():
  with pytest.raises(
    ValueError,
    match='^unet.UNet cannot be written as ONNX for pictures of any size: .*$',
  ):
    onnx_export.convert(config('unet'), random_weights('unet'))
