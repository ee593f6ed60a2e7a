"""The documentation: its length, and that what it names is there."""

import re
import subprocess
import sys

from conftest import ROOT
import pytest

from artjax import config
from artjax import main

DOCUMENTS = sorted(
  path.relative_to(ROOT).as_posix()
  for path in [ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md')]
)
_LINK = re.compile(r'\]\(([^)\s]+)\)')
_PATH = re.compile(
  r'(?:artjax|configs|scripts|tests|docs|pretrained)/[\w/.-]*[\w/]'
)
_CONFIG = re.compile(r'--config=(?:configs/)?(\w+)(?:\.py)?(?::(\w+))?')
_WEIGHTS = re.compile(r'--weights=([\w.:+,/]+)')
_SHIPPED = {path.stem for path in (ROOT / 'pretrained').glob('*.safetensors')}
CARD = 25  # lines of a card of the model zoo, at most


def text(document):
  return (ROOT / document).read_text(encoding='utf-8')


def prose(document):
  """A document without what extend.md adds: those files are not here yet."""
  return re.sub(r'```python\n# new file.*?```', '', text(document), flags=re.S)


def anchors(document):
  """What GitHub makes of the headings of a document."""
  headings = re.findall(r'^#+ (.*)$', text(document), re.M)
  plain = (re.sub(r'[^\w\- ]', '', heading.lower()) for heading in headings)
  return {heading.replace(' ', '-') for heading in plain}


def test_there_are_documents():
  names = {document.removeprefix('docs/') for document in DOCUMENTS}
  assert names >= {
    'README.md',
    'restore.md',
    'train.md',
    'evaluate.md',
    'extend.md',
    'web.md',
    'model_zoo.md',
    'architecture.md',
  }


def test_tests_that_keep_a_promise_are_there():
  folder = ROOT / 'tests' / 'web'
  rows = re.findall(r'^\|[^|]*\|(.*`test_.*)\|$', text('docs/web.md'), re.M)
  assert len(rows) > 5
  for part in re.split(r';', ';'.join(rows)):
    (file,) = re.findall(r'`(test_\w+\.py)`', part)
    for name in re.findall(r'`(test_\w+)`', part):
      assert f'\ndef {name}(' in (folder / file).read_text(), (file, name)


def test_readme_is_short():
  assert len(text('README.md').splitlines()) <= 120


@pytest.mark.parametrize('document', DOCUMENTS)
def test_lines_are_short(document):
  long = [
    line
    for line in text(document).splitlines()
    if len(line) > 100 and not line.startswith('|') and '](' not in line
  ]
  assert not long


@pytest.mark.parametrize('document', DOCUMENTS)
def test_links_lead_somewhere(document):
  for link in _LINK.findall(text(document)):
    if link.startswith(('http://', 'https://')):
      continue
    path, _, anchor = link.partition('#')
    target = (ROOT / document).parent / path if path else ROOT / document
    assert target.exists(), link
    if anchor:
      assert anchor in anchors(target.resolve().relative_to(ROOT)), link


@pytest.mark.parametrize('document', DOCUMENTS)
def test_files_that_are_named_are_there(document):
  missing = {
    path
    for path in _PATH.findall(prose(document))
    if not path.startswith('configs/clean') and not (ROOT / path).exists()
  }
  assert not missing


@pytest.mark.parametrize('document', DOCUMENTS)
def test_configurations_that_are_named_are_there(document):
  for name, variant in _CONFIG.findall(prose(document)):
    if name == 'FILE':
      continue
    path = ROOT / 'configs' / f'{name}.py'
    assert path.exists(), name
    assert f"'{variant}'" in path.read_text() or not variant, variant


@pytest.mark.parametrize('document', DOCUMENTS)
def test_fields_that_are_named_are_there(document):
  known = set(main.fields(config.get_config()))
  named = re.findall(r'--config\.([\w.]*\w)', prose(document))
  assert {name for name in named if not name.startswith('model.args')} <= known


@pytest.mark.parametrize(
  'document, command',
  [
    ('restore.md', ('-m', 'artjax.cli', 'restore')),
    ('web.md', ('-m', 'artjax.cli', 'serve')),
    ('collect.md', ('-m', 'artjax.cli', 'collect')),
  ],
)
def test_options_in_tables_are_there(document, command):
  rows = re.findall(r'^\|.*\|$', text(f'docs/{document}'), re.M)
  options = set(re.findall(r'`(--\w+)[=`]', '\n'.join(rows)))
  assert options
  done = subprocess.run(
    [sys.executable, *command, '--help'],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
  )
  assert options <= set(re.findall(r'--\w+', done.stdout))


@pytest.mark.parametrize('document', DOCUMENTS)
def test_weights_that_are_named_ship_or_are_runs(document):
  for chain in _WEIGHTS.findall(prose(document)):
    for part in re.split('[,+]', chain):
      name = part.partition(':')[0]
      known = name in _SHIPPED or name in ('deep_image_prior', 'NAME', 'a')
      run = re.fullmatch(r'runs/\w+|pretrained/\w+\.safetensors|b|\d+', name)
      assert known or run, chain


@pytest.mark.parametrize('document', DOCUMENTS)
def test_modules_of_the_table_are_there(document):
  """Rows of a table: | `artjax/FOLDER/` | what for | `module`, `module` |."""
  rows = re.findall(
    r'^\| `(artjax/[\w/]*)` \|.*\| ([^|]*) \|$', text(document), re.M
  )
  for folder, modules in rows:
    for name in re.findall(r'`(\w+)`', modules):
      module = ROOT / folder / name
      assert module.with_suffix('.py').exists(), module


def test_every_package_has_a_row():
  packages = {
    init.parent.relative_to(ROOT).as_posix() + '/'
    for init in (ROOT / 'artjax').rglob('__init__.py')
  }
  table = text('docs/architecture.md')
  assert not {p for p in packages if f'| `{p}` |' not in table}


def test_every_shipped_weight_has_a_row_and_a_short_card():
  head, *cards = re.split(r'^## ', text('docs/model_zoo.md'), flags=re.M)
  assert {card.split('\n')[0] for card in cards} >= _SHIPPED
  for card in cards:
    name, *lines = card.strip().split('\n')
    assert len(lines) + 1 <= CARD, name
    assert f'| [{name}](#{name}) |' in head
    for part in ('**Use**', '**Training**', '**Figures**', '**Limits**', '!['):
      assert part in card, f'{name} lacks {part}'


def test_pictures_in_docs_are_shown_somewhere():
  shown = '\n'.join(text(document) for document in DOCUMENTS)
  for picture in (ROOT / 'docs').rglob('*.[jp][pn]g'):
    assert picture.name in shown, f'{picture} is not used'
