"""The model card that `artjax export` writes."""

import json

from conftest import ROOT
from conftest import tiny_config

from artjax.commands import export


def test_a_card_goes_with_the_weights(tmp_path, capsys):
  path = tmp_path / 'mine.safetensors'
  arguments = [f'--weights={ROOT}/pretrained/tone.safetensors', '--card']
  assert export.main([*arguments, f'--output={path}']) == 0
  card = (tmp_path / 'mine.md').read_text()
  assert card.startswith('# mine.safetensors\n\n- **Task**: tone\n')
  assert json.loads(capsys.readouterr().out)['sha256'] in card


def test_a_run_tells_the_licences_of_its_pictures(tmp_path):
  found = {'source': 'folder:met', 'licences': {'x': 3}, 'credits': []}
  (tmp_path / 'pictures.json').write_text(json.dumps(found))
  config = tiny_config()
  assert export.training(config, str(tmp_path))['pictures'] == found
  assert 'pictures' not in export.training(config, str(tmp_path / 'none'))
