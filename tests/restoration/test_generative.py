"""Files whose colours are made anew: grey ones colorized, drawings shown."""

from conftest import random_params
from conftest import tiny_config
from conftest import vivid_colours
import cv2
import numpy as np
import pytest
import pyvips

from artjax import colour
from artjax import registry
from artjax.configs import sketch2image
from artjax.image_io import vips
from artjax.interop import safetensors_io
from artjax.restoration import chain as chain_lib
from artjax.restoration import restore_file
from artjax.restoration.options import Options


@pytest.fixture(scope='module')
def names(tmp_path_factory):
  """Weights files of tiny networks: {name: path}."""
  folder = tmp_path_factory.mktemp('weights')
  paths = {
    name: str(folder / f'{name}.safetensors')
    for name in ('colorize', 'sketch', 'unet', 'large')
  }
  config, params = vivid_colours()
  safetensors_io.save(paths['colorize'], params, config)
  config = sketch2image.get_config('quick').unlock()
  safetensors_io.save(
    paths['sketch'],
    random_params(registry.model(config), 0.03, channels=1),
    config,
  )
  config = tiny_config()
  safetensors_io.save(
    paths['unet'], random_params(registry.model(config), 0.01), config
  )
  config.model.name, config.model.args = (
    'srvgg.SRVGGNetCompact',
    {'scale': 2, 'features': 6, 'convs': 2},
  )
  safetensors_io.save(
    paths['large'], random_params(registry.model(config), 0.01), config
  )
  return paths


@pytest.fixture(scope='module')
def colorizing(names):
  return chain_lib.Chain(names['colorize'])


@pytest.fixture(scope='module')
def sketching(names):
  return chain_lib.Chain(names['sketch'])


def profile(name):
  image = pyvips.Image.black(1, 1, bands=3).copy(interpretation='srgb')
  return image.icc_transform(name, input_profile='srgb').get('icc-profile-data')


def smooth(height, width, bands, dtype=np.uint8):
  """A picture of soft shapes in all tones."""
  rng = np.random.default_rng(0)
  small = rng.uniform(0, 1, [7, 6, bands]).astype(np.float32)
  image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
  image = np.clip(image.reshape(height, width, bands), 0, 1)
  return np.rint(image * np.iinfo(dtype).max).astype(dtype)


def written(path, values, icc=None, space=None):
  deep = values.dtype == np.uint16
  space = space or (
    ('grey16' if deep else 'b-w')
    if values.shape[2] < 3
    else ('rgb16' if deep else 'srgb')
  )
  image = vips.image(values).copy(interpretation=space)
  if icc:
    image.set_type(pyvips.GValue.blob_type, 'icc-profile-data', icc)
  image.write_to_file(str(path))
  return str(path)


def run(source, chain, target, hints='', **options):
  """(record, image, pixels) of a file restored."""
  record = restore_file.restore_file(
    source,
    chain,
    restore_file.Outputs(str(target), report=f'{target}.json'),
    Options(**options),
    hints=hints,
  )
  image = pyvips.Image.new_from_file(str(target), revalidate=True)
  return record, image, image.numpy().reshape(image.height, image.width, -1)


def lab(pixels):
  return colour.srgb_to_lab(pixels[..., :3] / np.iinfo(pixels.dtype).max)


def grey_level(light):
  """L in [0, 100] -> the grey of that lightness, of 255."""
  zero = np.zeros_like(light)
  return 255 * colour.lab_to_srgb(np.stack([light, zero, zero], -1))[..., 0]


def spread(pixels):
  """How far the channels of any pixel differ."""
  return int(np.ptp(pixels[..., :3].astype(int), axis=-1).max())


@pytest.mark.parametrize(
  'suffix, dtype, alpha',
  [
    ('png', np.uint8, False),
    ('png', np.uint16, True),
    ('tif', np.uint16, False),
    ('tif', np.uint8, True),
    ('jpg', np.uint8, False),
  ],
)
def test_a_grey_file_comes_back_in_colour(
  tmp_path, colorizing, suffix, dtype, alpha
):
  values = smooth(70, 90, 1 + alpha, dtype)
  if alpha:
    values[:9, :, 1] = np.iinfo(dtype).max
  source = written(tmp_path / f'a.{suffix}', values)
  record, image, pixels = run(source, colorizing, tmp_path / f'o.{suffix}')
  assert pixels.shape == (70, 90, 3 + alpha) and pixels.dtype == dtype
  assert image.get('icc-profile-data') == profile('srgb')
  assert record['channels'] == 1 + alpha
  assert len(record['notices']) == (suffix == 'jpg')  # it is encoded anew
  if suffix != 'jpg':  # which loses a little
    opaque = values[:, :, -1:] == np.iinfo(dtype).max if alpha else True
    grey = np.where(opaque, values[..., :1], 0).repeat(3, -1)
    now = np.where(opaque, pixels[..., :3], 0).astype(dtype)
    moved = grey_level(lab(now)[..., 0]) - grey_level(lab(grey)[..., 0])
    assert np.abs(moved).max() < (1 if dtype == np.uint8 else 0.1)
  if alpha:
    np.testing.assert_array_equal(pixels[..., 3], values[..., 1])
  assert np.abs(lab(pixels)[..., 1:]).mean() > 3


def test_deep_grey_keeps_its_levels(tmp_path, colorizing):
  ramp = np.arange(2**16, dtype=np.uint16).reshape(256, 256, 1)
  source = written(tmp_path / 'a.png', ramp)
  _, _, pixels = run(source, colorizing, tmp_path / 'o.png', saturation=0.5)
  light = lab(pixels)[..., 0].astype(np.float64).ravel()
  wanted = lab(ramp.repeat(3, -1))[..., 0].astype(np.float64).ravel()
  # Of 100; a step of the ramp is 0.0015 there.
  assert np.abs(light - wanted).max() < 0.01
  assert np.abs(np.diff(light, 2)).max() < 0.02
  _, _, pixels = run(source, colorizing, tmp_path / 'o.png', saturation=0.0)
  assert np.abs(pixels.astype(int) - ramp).max() <= 1


@pytest.mark.parametrize('kind', ['grey', 'sepia', 'colour', 'p3', 'cmyk'])
def test_saturation_0_is_grey_of_any_file(tmp_path, colorizing, kind):
  values = smooth(60, 50, {'grey': 1, 'sepia': 1, 'cmyk': 4}.get(kind, 3))
  icc = profile('p3') if kind == 'p3' else None
  if kind == 'sepia':
    tone = (values / 255) ** np.float32([0.8, 1.0, 1.4])
    values = np.uint8(np.rint(255 * tone))
  source = written(
    tmp_path / 'a.tif', values, icc, 'cmyk' if kind == 'cmyk' else None
  )
  record, image, pixels = run(
    source, colorizing, tmp_path / 'o.tif', saturation=0.0
  )
  assert pixels.shape == (60, 50, 3) and spread(pixels) == 0
  said = {'grey': '', 'sepia': 'toned: brought to grey'}.get(
    kind, 'in colour already: its colours are replaced'
  )
  assert any(said in notice for notice in record['notices'] or [''])
  assert bool(said) == bool(record['notices'])
  # RGB keeps its space.
  wanted = {'grey': 'srgb', 'cmyk': 'srgb', 'p3': 'p3'}.get(kind)
  have = image.get('icc-profile-data') if wanted else None
  assert have == (wanted and profile(wanted))
  _, _, vivid = run(source, colorizing, tmp_path / 'o.tif')
  assert spread(vivid) > 40


def linear_grey():
  """A profile of grey whose values are light itself (ICC.1, 7.2 and 9.2)."""
  head = bytes(4) + b'\2\x10\0\0mntrGRAYXYZ ' + bytes(12) + b'acsp' + bytes(88)
  number = lambda *values: np.array(values, '>u4').tobytes()
  tags = {
    b'wtpt': b'XYZ ' + number(0, 63190, 65536, 54061),
    b'kTRC': b'curv' + bytes(8),
    b'desc': b'desc' + number(0, 2) + b'x' + bytes(79),
  }
  table, body = number(len(tags)), b''
  for name, data in tags.items():
    start = 128 + 4 + 12 * len(tags) + len(body)
    table += name + number(start, len(data))
    body += data
  rest = head + table + body
  return number(len(rest) + 4) + rest


def test_a_grey_profile_is_heeded_and_replaced(tmp_path, colorizing):
  values = smooth(60, 50, 1, np.uint16)
  source = written(tmp_path / 'a.tif', values, linear_grey())
  record, image, pixels = run(
    source, colorizing, tmp_path / 'o.tif', saturation=0.0
  )
  assert not record['notices']
  assert image.get('icc-profile-data') == profile('srgb')
  light = values / 65535
  srgb = np.where(
    light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055
  )
  assert np.abs(pixels / 65535 - srgb)[light[..., 0] > 0.05].max() < 0.01


def stroke(path, height, width):
  """Hints of one brown stroke in the middle of a sheet."""
  image = np.zeros([height, width, 4], np.uint8)
  image[height // 3 : height // 2, width // 4 : width // 2] = 60, 110, 150, 255
  assert cv2.imwrite(str(path), image)
  return str(path)


@pytest.mark.parametrize('size', [(240, 320), (121, 160)])
def test_hints_are_obeyed_and_on_record(tmp_path, colorizing, size):
  source = written(tmp_path / 'a.png', np.full([240, 320, 1], 128, np.uint8))
  hints = stroke(tmp_path / 'h.png', *size)
  record, _, pixels = run(source, colorizing, tmp_path / 'o.png', hints)
  there = np.s_[90:110, 90:150]
  wanted = colour.srgb_to_lab(np.float32([150, 110, 60]) / 255)[1:]
  np.testing.assert_allclose(
    lab(pixels)[there][..., 1:].mean((0, 1)), wanted, atol=2
  )
  assert record['hints'] == hints
  assert record['hints_sha256'] == safetensors_io.file_sha256(hints)
  resized = f'the hints {hints} are 160 x 121 px: resized'
  assert record['notices'] == ([] if size == (240, 320) else [resized])
  _, _, without = run(source, colorizing, tmp_path / 'o.png')
  assert np.abs(lab(without)[there][..., 1:].mean((0, 1)) - wanted).max() > 4


def test_bad_hints_leave_nothing(tmp_path, colorizing):
  source = written(tmp_path / 'a.png', smooth(60, 90, 1))
  hints = stroke(tmp_path / 'h.png', 90, 60)
  with pytest.raises(
    ValueError, match='h.png: hints of 60 x 90 px for a picture of 90 x 60 px'
  ):
    run(source, colorizing, tmp_path / 'out' / 'o.png', hints)
  assert not (tmp_path / 'out').exists()


def test_strength_is_a_share_of_the_change(tmp_path, colorizing):
  source = written(tmp_path / 'a.png', smooth(60, 90, 1))
  none, half, full = (
    run(source, colorizing, tmp_path / 'o.png', strength=s)[2].astype(int)
    for s in (0.0, 0.5, 1.0)
  )
  assert spread(none) == 0
  np.testing.assert_allclose(half, (none + full) / 2, atol=1)


@pytest.mark.parametrize(
  'order',
  ['unet,colorize', 'colorize,unet', 'colorize,large', 'large,colorize'],
)
def test_chains(tmp_path, names, order):
  chain = chain_lib.Chain(','.join(names[n] for n in order.split(',')))
  source = written(tmp_path / 'a.png', smooth(64, 96, 1, np.uint16))
  hints = stroke(tmp_path / 'h.png', 64, 96)
  record, _, pixels = run(source, chain, tmp_path / 'o.png', hints)
  scale = 2 if 'large' in order else 1
  assert pixels.shape == (64 * scale, 96 * scale, 3)
  assert np.abs(lab(pixels)[..., 1:]).mean() > 3
  assert record['conjectural'] == [
    'all colours: plausible ones, not what was there'
  ]
  assert 'consistency_psnr' not in record
  first, second = chain.restorers
  grey = smooth(64, 96, 1, np.uint16).repeat(3, -1)
  sheet = cv2.imread(hints, cv2.IMREAD_UNCHANGED)[..., [2, 1, 0, 3]]
  told = lambda r: {'hints': sheet} if hasattr(r, 'joint') else {}
  wanted = second(first(grey, **told(first)), **told(second))
  assert np.abs(pixels / 65535 - wanted / 65535).max() < 0.01


def test_what_is_of_no_use_is_refused(tmp_path, names, colorizing):
  source = written(tmp_path / 'a.png', smooth(60, 90, 1))
  with pytest.raises(ValueError, match='cannot use self_ensemble'):
    run(source, colorizing, tmp_path / 'o.png', self_ensemble=True)
  with pytest.raises(ValueError, match=r'saturation=2.5 is not in \[0, 2\]'):
    run(source, colorizing, tmp_path / 'o.png', saturation=2.5)
  unet = chain_lib.Chain(names['unet'])
  for settings in ({'saturation': 0.5}, {'hints': source}):
    with pytest.raises(ValueError, match='does not colorize: it cannot use'):
      run(source, unet, tmp_path / 'o.png', **settings)
  with pytest.raises(ValueError, match='does not fill: it cannot use a mask'):
    restore_file.restore_file(
      source,
      colorizing,
      restore_file.Outputs(str(tmp_path / 'o.png')),
      mask=source,
    )
  assert not (tmp_path / 'o.png').exists()


def test_other_chains_leave_grey_grey(tmp_path, names):
  source = written(tmp_path / 'a.png', smooth(60, 90, 1))
  record, _, pixels = run(
    source, chain_lib.Chain(names['unet']), tmp_path / 'o.png'
  )
  assert pixels.shape == (60, 90, 1)
  assert not {'conjectural', 'hints', 'inverted'} & set(record)


# ---- drawings ---------------------------------------------------------------


def drawing(dtype=np.uint8):
  """Dark lines on light paper, [96, 128, 1]."""
  image = np.full([96, 128], 250, np.uint8)
  cv2.circle(image, (64, 48), 30, 20, 2)
  cv2.line(image, (10, 80), (110, 20), 40, 2)
  return image[..., None].astype(dtype) * (np.iinfo(dtype).max // 255)


@pytest.mark.parametrize('dtype', [np.uint8, np.uint16])
def test_a_drawing_becomes_rgb(tmp_path, sketching, dtype):
  grey = drawing(dtype)
  source = written(tmp_path / 'grey.png', grey)
  record, image, pixels = run(source, sketching, tmp_path / 'o.png')
  assert pixels.shape == (96, 128, 3) and pixels.dtype == dtype
  assert image.get('icc-profile-data') == profile('srgb')
  assert record['conjectural'] == [
    'all but the drawn shapes: nothing of it was ever seen'
  ]
  assert record['inverted'] is False and not record['notices']
  wanted = sketching.restorers[0](grey.repeat(3, -1))
  assert np.abs(pixels.astype(int) - wanted).max() <= np.iinfo(dtype).max // 255
  source = written(tmp_path / 'rgb.png', grey.repeat(3, -1))
  np.testing.assert_array_equal(
    run(source, sketching, tmp_path / 'o.png')[2], pixels
  )


def test_white_on_black_is_inverted_and_said(tmp_path, sketching):
  ink = drawing()
  _, _, wanted = run(
    written(tmp_path / 'ink.png', ink), sketching, tmp_path / 'o.png'
  )
  record, _, pixels = run(
    written(tmp_path / 'chalk.png', 255 - ink), sketching, tmp_path / 'o.png'
  )
  assert record['inverted'] is True
  assert record['notices'] == ['light lines on dark paper: inverted']
  assert np.abs(pixels.astype(int) - wanted).max() <= 1


def test_transparent_paper_is_white(tmp_path, sketching):
  ink = drawing()
  _, _, wanted = run(
    written(tmp_path / 'ink.png', ink), sketching, tmp_path / 'o.png'
  )
  # The same drawing as black of some opacity.
  clear = np.concatenate([0 * ink.repeat(3, -1), 255 - ink], -1)
  record, _, pixels = run(
    written(tmp_path / 'clear.png', clear), sketching, tmp_path / 'o.png'
  )
  assert pixels.shape == (96, 128, 3)
  assert record['channels'] == 4
  assert record['notices'] == ['transparent: laid on white paper']
  assert np.abs(pixels.astype(int) - wanted).max() <= 1
  # Nothing to lay down where all is opaque.
  clear = np.concatenate([ink.repeat(3, -1), 0 * ink + 255], -1)
  record, _, pixels = run(
    written(tmp_path / 'full.png', clear), sketching, tmp_path / 'o.png'
  )
  assert not record['notices']
  np.testing.assert_array_equal(pixels, wanted)


def test_a_drawing_too_large_to_be_seen_whole_is_said(tmp_path):
  config = sketch2image.get_config('quick').unlock()
  config.model.args.update(coordinates=True, halo=0, width=4)
  path = str(tmp_path / 'aligned.safetensors')
  safetensors_io.save(
    path, random_params(registry.model(config), 0.03, channels=1), config
  )
  chain = chain_lib.Chain(path)
  source = written(tmp_path / 'a.png', drawing()[:, :96])
  for tile, count in ((96, 1), (64, 4)):
    notices = run(source, chain, tmp_path / 'o.png', tile=tile)[0]['notices']
    assert len(notices) == (count > 1)
  assert notices[0].startswith('seen in 4 parts by a network that knows')
