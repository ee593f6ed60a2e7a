"""ONNX files: what a runtime makes of them is what the model makes."""
import functools
import json

from conftest import random_params
import jax
import ml_collections
import numpy as np
import pytest

from artjax import lookup
from artjax import onnx_export
from artjax.models import layers

_REASON = 'needs onnx and onnxruntime (make export-setup)'
onnx = pytest.importorskip('onnx', reason=_REASON)
runtime = pytest.importorskip('onnxruntime', reason=_REASON)

MODELS = {
    'x4': ('rrdb.RRDBNet', {'features': 8, 'growth': 4, 'blocks': 2}),
    'x2': ('rrdb.RRDBNet', {'features': 8, 'growth': 4, 'blocks': 1,
                            'scale': 2}),
    'x1': ('rrdb.RRDBNet', {'features': 8, 'growth': 4, 'blocks': 1,
                            'scale': 1}),
    'compact': ('srvgg.SRVGGNetCompact', {'features': 6, 'convs': 2}),
    'msrresnet': ('srresnet.MSRResNet', {'features': 6, 'blocks': 2}),
    'unet': ('unet.UNet', {'features': (8, 16), 'blocks': (1, 1)}),
    'unet, other fields': ('unet.UNet', {
        'features': (8, 16), 'blocks': (1, 1), 'norm': 'group',
        'down': 'stride'}),
    'unet, no context': ('unet.UNet', {
        'features': (8, 16), 'blocks': (1, 1), 'context_size': 0}),
    'nafnet': ('nafnet.NAFNet', {
        'width': 4, 'enc_blocks': (1,), 'middle_blocks': 1,
        'dec_blocks': (1,)}),
}


def config(key):
  name, args = MODELS[key]
  return ml_collections.ConfigDict(
      {'task': 'restore', 'model': {'name': name, 'args': args}})


@functools.cache
def converted(key):
  """(model, weights, proto, the session that runs it)."""
  model = lookup.model(config(key))
  params = random_params(model, 0.02)
  proto = onnx_export.convert(config(key), params, step=7)
  return model, params, proto, runtime.InferenceSession(
      proto.SerializeToString(), providers=['CPUExecutionProvider'])


def noise(*shape):
  return np.random.default_rng(shape).random(shape, np.float32)


@pytest.mark.parametrize('key', MODELS)
def test_any_size_gives_what_the_model_gives(key):
  model, params, proto, session = converted(key)
  names = [x.name for x in proto.graph.input]
  assert names == ['input', 'context'][:1 + (key in (
      'unet', 'unet, other fields'))]
  run = jax.jit(lambda x, context: model.apply(
      {'params': params}, x, context=context))
  for shape in ((2, 13, 18), (1, 1, 3)):
    x, context = noise(*shape, 3), noise(shape[0], 64, 64, 3)
    feed = dict(zip(names, (x.transpose(0, 3, 1, 2),
                            context.transpose(0, 3, 1, 2))))
    y, = session.run(['output'], feed)
    want = np.asarray(run(x, context))
    assert y.shape == want.transpose(0, 3, 1, 2).shape
    np.testing.assert_allclose(y.transpose(0, 2, 3, 1), want, atol=1e-4)
    assert np.abs(want - layers.upsample_nearest(
        x, getattr(model, 'scale', 1))).max() > 1e-2  # It does something.


def test_the_file_says_what_it_is():
  proto = converted('x2')[2]
  said = {x.key: x.value for x in proto.metadata_props}
  assert said['scale'] == '2' and 'NCHW' in said['layout']
  header = json.loads(said['artjax'])
  assert header['step'] == 7
  assert header['config']['model']['name'] == 'rrdb.RRDBNet'
  kind = proto.graph.input[0].type.tensor_type
  assert kind.elem_type == onnx.TensorProto.FLOAT
  assert [d.dim_param or d.dim_value for d in kind.shape.dim] == [
      'batch', 3, 'height', 'width']


@pytest.mark.parametrize('key, convolutions', [('x4', 36), ('compact', 4)])
def test_activations_and_shuffles_are_operators_of_their_own(
    key, convolutions):
  nodes = [node.op_type for node in converted(key)[2].graph.node]
  assert nodes.count('Conv') == convolutions
  # Pictures lie as NCHW throughout: no transposes from layer to layer.
  assert nodes.count('Transpose') < 8
  assert not {'Where', 'Greater', 'GreaterOrEqual'} & set(nodes)
  if key == 'x4':
    assert nodes.count('LeakyRelu') == 2 * 3 * 4 + 3
  else:
    assert nodes.count('PRelu') == 3 and nodes.count('DepthToSpace') == 1


def test_what_cannot_be_converted_is_named(monkeypatch):
  monkeypatch.delattr(onnx_export._Graph, '_do_select_n')
  params = converted('compact')[1]
  with pytest.raises(ValueError, match='srvgg.SRVGGNetCompact cannot be written '
                     'as ONNX: no operator for select_n'):
    onnx_export.convert(config('compact'), params)
