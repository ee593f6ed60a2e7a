"""What can be read is listed, and what would read more."""

import pytest

from artjax.commands import formats
from artjax.image_io import other_libraries


@pytest.mark.parametrize('there', [True, False])
def test_formats_are_listed(capsys, monkeypatch, there):
  monkeypatch.setattr(other_libraries, 'has', lambda package: there)
  assert formats.main([]) == 0
  head, *rows = capsys.readouterr().out.splitlines()
  assert head.split() == ['format', 'read', 'by', 'results']
  [heic] = [row for row in rows if row.startswith('HEIC')]
  assert ('pillow-heif' in heic) == there
  assert ("pip install 'artjax[formats]'" in heic) == (not there)
  assert any(row.split() == ['BMP', 'Pillow', 'PNG'] for row in rows)
