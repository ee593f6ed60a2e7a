"""What the page does is what the command line does; results as one zip."""

import io
import zipfile

import web_client as web

from artjax.restoration import command
from artjax.restoration import default_chain
from artjax.restoration import options
from artjax.restoration import presets
from artjax.web.server import abilities
from artjax.web.server.routes import archive


def test_a_result_has_the_format_that_is_wanted(page, tmp_path, folder, capsys):
  source = tmp_path / 'a.jpg'
  source.write_bytes(web.picture(suffix='.jpg'))
  key = page.post(
    '/api/pictures?name=a.jpg', content=source.read_bytes()
  ).json()['id']
  for wanted, suffix in (('same', '.jpg'), ('webp', '.webp'), ('tiff', '.tif')):
    job = page.post(
      f'/api/jobs?steps=restore&picture={key}&format={wanted}'
    ).json()
    result = web.wait(page, job)['result']
    assert result['name'] == f'a_restore{suffix}'
    out = page.get(f'/api/jobs/{job["id"]}/result')
    if wanted == 'same':
      command.main(
        [str(source), '-o', str(tmp_path), '--name=b{suffix}']
        + [f'--weights={folder}/unet.safetensors']
      )
      assert out.content == (tmp_path / 'b.jpg').read_bytes()
  out = page.post(f'/api/jobs?steps=restore&picture={key}&format=gif')
  assert out.status_code == 422 and out.json()['error'].startswith('format: ')


def test_presets_are_those_of_the_command_line(tmp_path):
  with web.client(tmp_path) as page:
    table = lambda: page.get('/api/abilities').json()['presets']
    assert not any(preset['available'] for preset in table())
    web.save_weights(tmp_path, 'structure')
    assert [p['name'] for p in table() if p['available']] == ['scan']
  for name in ('detect', 'inpaint', 'stains', 'tone', 'esrgan'):
    (tmp_path / f'{name}.safetensors').touch()
  for found, preset in zip(
    abilities.describe_presets(tmp_path), presets.PRESETS, strict=True
  ):
    assert found['name'] == preset.name and found['available']
    assert abilities.plan(found['steps'], False, tmp_path) == [
      str(tmp_path / f'{name}.safetensors')
      for name in preset.weights.split(',')
    ]
    values = {name: str(value) for name, value in found['options'].items()}
    assert options.from_query(values) == options.Options(**preset.options)


def test_all_results_come_as_one_zip(folder):
  with web.client(folder) as page:
    assert page.get('/api/results.zip').status_code == 404
    ids = []
    for name in ('a.png', 'a.png', 'b.png'):
      job = page.post(
        f'/api/jobs?steps=restore&name={name}',
        content=web.picture(seed=len(ids)),
      ).json()
      ids.append(web.wait(page, job)['result']['id'])
    out = page.get('/api/results.zip')
    assert out.headers['content-type'] == 'application/zip'
    with zipfile.ZipFile(io.BytesIO(out.content)) as archive:
      assert archive.testzip() is None
      found = {name: archive.read(name) for name in archive.namelist()}
    names = ['a_restore.png', 'a_restore (2).png', 'b_restore.png']
    assert found == {
      name: page.get(f'/api/pictures/{key}/file').content
      for name, key in zip(names, ids)
    }
    assert web.another(page).get('/api/results.zip').status_code == 404


def test_a_zip_of_a_hundred_is_made_part_by_part(tmp_path):
  contents = [bytes([i]) * (3 << 20 if i == 50 else 1000) for i in range(100)]
  for i, content in enumerate(contents):
    (tmp_path / str(i)).write_bytes(content)
  parts = list(
    archive.stream(('a.png', str(tmp_path / str(i))) for i in range(100))
  )
  assert max(map(len, parts)) < 1.1 * 2**20
  with zipfile.ZipFile(io.BytesIO(b''.join(parts))) as found:
    names = found.namelist()
    assert names[::33] == ['a.png', 'a (34).png', 'a (67).png', 'a (100).png']
    assert [found.read(name) for name in names] == contents


def test_by_default_the_page_does_what_the_command_line_does(tmp_path):
  names = default_chain.WEIGHTS.split(',')
  for name in (*names, 'unet', 'inpaint_psnr', 'esrgan', 'colorize'):
    (tmp_path / f'{name}.safetensors').touch()
  # Without a mask, filling finds damage by itself.
  steps = [
    ability['name']
    for ability in abilities.describe(tmp_path)
    if ability['default'] and ability['name'] != 'detect'
  ]
  assert steps == ['fill', 'stains', 'restore', 'tone']
  assert abilities.plan(steps, False, tmp_path) == [
    str(tmp_path / f'{name}.safetensors') for name in names
  ]
  # A mask says where to fill, and not where to lighten.
  assert abilities.plan(steps, True, tmp_path) == [
    str(tmp_path / f'{name}.safetensors')
    for name in ('inpaint', 'detect', 'stains', 'structure', 'tone')
  ]
