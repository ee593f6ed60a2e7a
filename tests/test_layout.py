"""How large a module and a package may be; import-linter holds the layers."""

from conftest import ROOT
import pytest

LINES = 400
MODULES = 15  # in a package, without __init__.py
SOURCES = sorted(
  path
  for folder in ('artjax', 'configs', 'scripts', 'tests')
  for path in (ROOT / folder).rglob('*.py')
)


def modules(folder):
  return [path.stem for path in folder.glob('*.py') if path.stem != '__init__']


def test_no_module_is_too_long():
  lines = {
    str(path.relative_to(ROOT)): path.read_text().count('\n')
    for path in SOURCES
  }
  assert len(lines) > 300  # they are found
  assert {path: n for path, n in lines.items() if n > LINES} == {}


@pytest.mark.parametrize(
  'package',
  sorted(
    {path.parent for path in SOURCES if path.is_relative_to(ROOT / 'artjax')}
  ),
  ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_package_has_too_many_modules(package):
  assert len(modules(package)) <= MODULES, sorted(modules(package))
