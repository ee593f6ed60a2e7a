"""Names of engines, and what is missing for them."""

import importlib.util

from conftest import loaded_by
import pytest

from artjax.inference.engines import names


def only(monkeypatch, *there):
  """Makes believe that of the packages of engines only some are installed."""
  monkeypatch.setattr(
    importlib.util,
    'find_spec',
    lambda name: object() if name in there else None,
  )


def test_jax_alone_leaves_no_choice(monkeypatch):
  only(monkeypatch)
  assert names.offered() == ('jax',)
  names.check('jax')
  names.check('auto')


def test_what_is_missing_is_named_with_the_cure(monkeypatch):
  only(monkeypatch, 'openvino')
  assert names.installed() == ('jax',)  # it reads ONNX
  with pytest.raises(ValueError) as error:
    names.check('openvino')
  assert str(error.value) == (
    'engine=openvino needs onnx: pip install "artjax[openvino]"'
  )
  monkeypatch.setattr(names, '_has_bfloat16', lambda: False)
  only(monkeypatch, 'openvino', 'onnx')
  assert names.offered() == ('jax', 'openvino', 'auto')
  names.check('openvino')


def test_bfloat16_needs_a_processor_that_has_it(monkeypatch):
  only(monkeypatch, 'openvino', 'onnx')
  monkeypatch.setattr(names, '_has_bfloat16', lambda: True)
  assert names.offered() == ('jax', 'openvino', 'openvino-bf16', 'auto')
  monkeypatch.setattr(names, '_has_bfloat16', lambda: False)
  with pytest.raises(ValueError) as error:
    names.check('openvino-bf16')
  assert str(error.value) == (
    'engine=openvino-bf16 needs a processor that computes in bfloat16 '
    '(AVX512-BF16 or AMX): engine=openvino needs none'
  )
  only(monkeypatch)
  monkeypatch.setattr(names, '_has_bfloat16', lambda: True)
  with pytest.raises(
    ValueError, match=r'onnx: pip install "artjax\[openvino\]'
  ):
    names.check('openvino-bf16')


def test_a_record_says_the_version():
  assert names.called('jax').startswith('jax 0.')


def test_no_engine_is_imported_before_it_is_used():
  code = 'import artjax.inference.network, artjax.restoration.options'
  assert not loaded_by(code, 'openvino', 'onnx', 'onnxruntime')
