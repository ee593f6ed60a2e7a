"""Other weights than the usual ones, and blends of two, for each step."""

import json
import pathlib

from conftest import random_params
from conftest import tiny_config
import ml_collections
import published_networks
import pytest
import torch_containers
import web_client as web

from artjax import registry
from artjax.interop import fetched
from artjax.interop import published
from artjax.interop import safetensors_io
from artjax.models import attention
from artjax.models import super_resolution
from artjax.restoration import command
from artjax.web import worker
from artjax.web.server import abilities
from artjax.web.server import choices


@pytest.fixture(name='own', scope='module')
def own_fixture(tmp_path_factory):
  """A folder of the user's own: weights, and a file that is none."""
  folder = tmp_path_factory.mktemp('own')
  config = tiny_config()
  params = random_params(registry.model(config), 0.02)
  safetensors_io.save(str(folder / 'mine.safetensors'), params, config)
  (folder / 'notes.safetensors').write_bytes(b'no weights')
  return folder


def test_what_ships_can_be_chosen():
  known = {
    choice.name: choice for choice in choices.find([abilities.PRETRAINED])
  }
  assert known['esrgan'].step == 'upscale' and known['esrgan'].scale == 4
  assert known['esrgan'].network == known['esrgan_psnr'].network
  assert known['unet'].step == known['structure'].step == 'restore'
  assert known['unet'].network != known['structure'].network
  assert {choice.licence for choice in known.values()} == {'Apache-2.0'}
  # And what is usual is among what can be chosen.
  table = abilities.describe(abilities.PRETRAINED, list(known.values()))
  for ability in table:
    names = [choice['name'] for choice in ability['choices']]
    assert not ability['available'] or ability['weights'] in names
    assert all('path' not in choice for choice in ability['choices'])


def test_models_that_enlarge_are_known():
  modules = set()
  for package in (super_resolution, attention):
    folder = pathlib.Path(package.__file__).parent
    modules |= {path.stem for path in folder.glob('*.py')}
  parts = {'__init__', 'base', 'windows', 'channels', 'dysample'}
  same_size = {'restormer'}
  assert choices._SCALES.keys() == modules - parts - same_size


def test_chosen_weights_are_names_and_never_paths(folder, own):
  known = choices.find([folder, own])
  assert [(c.name, c.licence) for c in known] == [('unet', ''), ('mine', '')]
  one, two = (choice.path for choice in known)
  assert choices.chosen('', known) == {}
  assert choices.chosen('mine', known) == {'restore': two}
  blend = choices.chosen('unet:0.25+mine:0.75', known)
  assert blend == {'restore': f'{one}:0.25+{two}:0.75'}
  assert worker.named(blend['restore']) == 'unet:0.25+mine:0.75'
  odd = '/a,b+c:d/one.safetensors:0.5+/e/two.safetensors:0.5'
  assert worker.named(odd) == 'one:0.5+two:0.5'
  assert worker.named('/a/b.pth:0.5+/a/c.npz:0.5') == 'b:0.5+c:0.5'
  for text, reason in (
    ('other', "'other' is not one of unet, mine"),
    (two, 'is neither a name nor'),
    ('../own/mine', 'is neither a name nor'),
    ('unet+mine', 'must sum to 1'),
    ('unet:0.5+mine:0.6', 'must sum to 1'),
    ('unet,mine', 'two for restore'),
  ):
    with pytest.raises(ValueError, match=reason):
      choices.chosen(text, known)
  stranger = known[1]._replace(network='another')
  with pytest.raises(ValueError, match='not weights of one network'):
    choices.chosen('unet:0.5+mine:0.5', [known[0], stranger])


def test_a_blend_is_that_of_the_command_line(folder, own, tmp_path, capsys):
  (tmp_path / 'a.png').write_bytes(web.picture())
  command.main(
    [
      str(tmp_path / 'a.png'),
      f'--output={tmp_path / "out"}',
      f'--weights={folder}/unet.safetensors:0.3+{own}/mine.safetensors:0.7',
    ]
  )
  capsys.readouterr()
  with web.client(folder, own_weights=own) as page:
    job = page.post(
      '/api/jobs?steps=restore&name=a.png&weights=unet:0.3%2Bmine:0.7',
      content=web.picture(),
    ).json()
    state = web.wait(page, job)
    assert state['state'] == 'done', state
    assert state['result']['made']['weights'] == 'unet:0.3+mine:0.7'
    out = page.get(f'/api/jobs/{job["id"]}/result').content
    assert out == (tmp_path / 'out' / 'a.png').read_bytes()
    report = page.get(f'/api/jobs/{job["id"]}/report')
    (weights,) = json.loads(report.content)['weights']
    assert weights['name'] == 'unet:0.3+mine:0.7'
    assert str(own) not in report.text
    for weights, reason in (
      ('none', 'is not one of'),
      (f'{own}/mine', 'is neither a name nor'),
    ):
      answer = page.post(
        f'/api/jobs?steps=restore&weights={weights}', content=web.picture()
      )
      assert answer.status_code == 422
      assert reason in answer.json()['error']


def test_weights_of_ones_own_do_a_step_that_nothing_else_does(own, tmp_path):
  with web.client(tmp_path, own_weights=own) as page:
    table = {
      a['name']: a for a in page.get('/api/abilities').json()['abilities']
    }
    assert table['restore']['weights'] == 'mine'
    job = page.post('/api/jobs?steps=restore', content=web.picture()).json()
    assert web.wait(page, job)['state'] == 'done'


def test_a_published_filler_is_offered_for_holes(tmp_path):
  path = tmp_path / 'big-lama.pt'
  tensors, _ = published_networks.golden('lama_even')
  torch_containers.write_zip(path, {'state_dict': tensors})
  (found,) = choices.foreign([tmp_path])
  known = worker.weights({'files': [str(found)]}, None, None)['found']
  (choice,) = choices.find([tmp_path], known)
  assert (choice.name, choice.step, choice.scale) == ('big-lama', 'fill', 1)
  table = {a['name']: a for a in abilities.describe(tmp_path, [choice])}
  assert table['fill']['available']
  assert [c['name'] for c in table['fill']['choices']] == ['big-lama']


def test_published_weights_need_no_import(tmp_path):
  model = {
    'name': 'srvgg.SRVGGNetCompact',
    'args': {'scale': 2, 'features': 6, 'convs': 3},
  }
  config = ml_collections.ConfigDict({'task': 'restore', 'model': model})
  tensors = published.publish(
    model, random_params(registry.model(config), 0.02)
  )
  with web.client(tmp_path / 'none', own_weights=tmp_path) as page:
    choices = lambda: {
      choice['name']: (a['name'], choice['scale'], choice['licence'])
      for a in page.get('/api/abilities').json()['abilities']
      for choice in a['choices']
    }
    assert not choices()
    torch_containers.write_zip(tmp_path / 'theirs.pth', tensors)
    (tmp_path / 'broken.pth').write_bytes(b'no weights')
    fetched.Fetched(tmp_path).add('theirs.pth', 'https://a.org/', 'MIT', '')
    assert choices() == {'theirs': ('upscale', 2, 'MIT')}
    job = page.post(
      '/api/jobs?steps=upscale&weights=theirs&name=a.png', content=web.picture()
    ).json()
    state = web.wait(page, job)
    assert state['state'] == 'done', state
    assert state['result']['width'] == 60
    report = page.get(f'/api/jobs/{job["id"]}/report')
    assert json.loads(report.content)['weights'][0]['name'] == 'theirs'
    assert str(tmp_path) not in report.text
