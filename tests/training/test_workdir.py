"""A run's folder: one run at a time, changes said, bad folders named."""

import json
import os
import resource
import subprocess
import sys

from conftest import ROOT
from conftest import smallest_config
from conftest import tiny_config
import drawn_pictures
import pytest

from artjax.training import loop
from artjax.training import workdir as workdirs

HOLD = (
  'import sys; from artjax.training import workdir\n'
  'with workdir.lock(sys.argv[1]):\n'
  '  print("held", flush=True)\n'
  '  sys.stdin.read()\n'
)


def test_a_second_run_is_refused_and_a_dead_ones_lock_is_free(tmp_path):
  first = subprocess.Popen(
    [sys.executable, '-c', HOLD, str(tmp_path)],
    cwd=ROOT,
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
  )
  assert first.stdout.readline() == 'held\n'
  with pytest.raises(
    ValueError, match=rf'in use by .*host .+, process {first.pid}'
  ):
    with workdirs.lock(str(tmp_path)):
      pass
  first.kill()
  first.communicate()
  with workdirs.lock(str(tmp_path)):
    holder = (tmp_path / 'lock').read_text()  # and no longer the first
    assert holder.endswith(f', process {os.getpid()}')
    assert holder.count('process') == 1
  with workdirs.lock(str(tmp_path)):  # and given back
    pass


def test_folders_that_cannot_be_used_are_named(tmp_path):
  workdirs.make(str(tmp_path / 'a' / 'b'))
  assert (tmp_path / 'a' / 'b').is_dir()
  (tmp_path / 'file').write_text('')
  with pytest.raises(ValueError, match=r'--workdir=.*file cannot be used'):
    workdirs.make(str(tmp_path / 'file'))


def test_a_folder_that_is_read_only_is_named(tmp_path, monkeypatch):
  monkeypatch.setattr(os, 'access', lambda path, mode: False)  # as for a guest
  with pytest.raises(ValueError, match='cannot be used: Permission denied'):
    workdirs.make(str(tmp_path))


def test_a_disk_that_takes_nothing_is_one_line(tmp_path):
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
  try:
    for write in (
      lambda: workdirs.lock(str(tmp_path)).__enter__(),
      lambda: workdirs.write_config(tiny_config(), str(tmp_path), 0),
    ):
      with pytest.raises(ValueError, match=f'{tmp_path} cannot be written: '):
        with workdirs.writing(str(tmp_path)):
          write()
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_changed_configuration_is_said_and_the_old_one_kept(tmp_path, caplog):
  folder = str(tmp_path)
  first = tiny_config(steps=100)
  assert workdirs.write_config(first, folder, 0) == []
  assert workdirs.write_config(first, folder, 50) == []
  assert not list(tmp_path.glob('config.until*'))
  second = tiny_config(**{'steps': 200, 'optimizer.learning_rate': 0.5})
  changes = workdirs.write_config(second, folder, 50)
  rate = first.optimizer.learning_rate
  assert changes == [
    f'optimizer.learning_rate: {rate} -> 0.5',
    'steps: 100 -> 200',
  ] or changes == [
    'steps: 100 -> 200',
    f'optimizer.learning_rate: {rate} -> 0.5',
  ]
  for part in ('Step 50', 'steps: 100 -> 200', 'schedule for the new number'):
    assert part in caplog.text
  assert 'batch_size' not in caplog.text
  old = json.loads((tmp_path / 'config.until-50.json').read_text())
  new = json.loads((tmp_path / 'config.json').read_text())
  assert old['steps'] == 100 and new['steps'] == 200


def test_another_batch_size_is_explained(tmp_path, caplog):
  workdirs.write_config(tiny_config(batch_size=4), str(tmp_path), 0)
  workdirs.write_config(tiny_config(batch_size=8), str(tmp_path), 3)
  assert 'example step x batch_size' in caplog.text


def test_fields_that_an_older_config_lacks_are_no_change(tmp_path):
  folder = str(tmp_path)
  config = tiny_config()
  workdirs.write_config(config, folder, 0)
  known = json.loads((tmp_path / 'config.json').read_text())
  del known['profile_steps'], known['optimizer']['schedule']
  (tmp_path / 'config.json').write_text(json.dumps(known))
  assert workdirs.write_config(config, folder, 5) == []


def test_another_task_or_model_is_refused(tmp_path):
  folder = str(tmp_path)
  workdirs.check_same_model(tiny_config(), folder)  # nothing there yet
  workdirs.write_config(tiny_config(), folder, 0)
  workdirs.check_same_model(tiny_config(), folder)
  with pytest.raises(ValueError, match='with another model: use another'):
    workdirs.check_same_model(
      tiny_config(**{'model.args.features': (8, 24)}), folder
    )
  with pytest.raises(ValueError, match='with another task'):
    workdirs.check_same_model(tiny_config(task='sketch2image'), folder)


@pytest.mark.parametrize('text', ['', '{"task":'])
def test_a_damaged_config_is_one_line(tmp_path, text):
  (tmp_path / 'config.json').write_text(text)
  with pytest.raises(ValueError, match='config.json is damaged .*delete it'):
    workdirs.check_same_model(tiny_config(), str(tmp_path))


def test_the_licences_of_its_pictures_are_kept(tmp_path):
  for i in range(8):
    drawn_pictures.write(tmp_path / 'met' / f'{i}.png', i)
  (tmp_path / 'met' / 'pictures.jsonl').write_text(
    ''.join(f'{{"file": "{i}.png", "licence": "CC0"}}\n' for i in range(8))
  )
  config = smallest_config(steps=1, eval_every=0, checkpoint_every=1)
  config.data.source = f'folder:{tmp_path}/met'
  loop.train_and_evaluate(config.lock(), str(tmp_path / 'run'))
  found = json.loads((tmp_path / 'run' / 'pictures.json').read_text())
  assert found['licences'] == {'CC0': 8}
