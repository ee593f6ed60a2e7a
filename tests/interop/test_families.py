"""Each published family: PyTorch's numbers, by files that hold them.

Where torch and spandrel are, they are asked themselves too.
"""

import functools

import jax
import ml_collections
import numpy as np
import published_networks
import pytest
import spandrel_library
import torch_containers

from artjax import registry
from artjax.interop import published
from artjax.interop import safetensors_io
from artjax.interop import tensor_files

CASES = published_networks.CASES


@functools.cache
def recognised(name):
  """(published tensors, model, weights) of a case."""
  tensors, _ = published_networks.golden(name)
  return tensors, *published.recognise(tensors, name)


def result(name):
  """f32[1, h, w, C] of the picture, every so many px."""
  case = CASES[name]
  _, model, params = recognised(name)
  net = registry.model(ml_collections.ConfigDict({'model': model}))
  if case.noise:
    params = params | {safetensors_io.STATS: {'noise': np.float32(case.noise)}}
  x = published_networks.picture(case)
  if not case.fills:
    x = x.repeat(3, -1) if case.channels == 1 else x[..., :3]
  y = jax.jit(net.apply)(safetensors_io.variables(params), x)
  assert y.dtype == np.float32
  return np.asarray(y)[:, :: case.every, :: case.every]


@pytest.mark.parametrize('name', CASES)
def test_numbers_are_those_of_torch(name):
  case, (_, y) = CASES[name], published_networks.golden(name)
  ours = result(name)
  assert np.abs(y).max() > 0.1
  if case.channels == 1:
    # Each colour by itself; all three are the same picture here.
    assert ours.shape[-1] == 3
    y = y.repeat(3, -1)
  y = y[..., :3]
  assert ours.shape == y.shape
  assert np.abs(ours - y).max() < 1e-4 * max(1, np.abs(y).max())


@pytest.mark.parametrize('name', CASES)
def test_family_and_names_there_and_back(name):
  case = CASES[name]
  tensors, model, params = recognised(name)
  family = next(f for f in published.FAMILIES if f.model == model['name'])
  assert family.title == case.title
  config = ml_collections.ConfigDict({'model': model})
  shapes = registry.variables(config, family.channels)
  safetensors_io.check(params, safetensors_io.merge(shapes), name)
  again = published.publish(model, params)
  if not case.one_way and case.title not in ('ESRGAN', 'SPANF'):
    assert again.keys() == tensors.keys()
    for n, value in tensors.items():
      if not n.endswith(published_networks.DERIVED):
        np.testing.assert_array_equal(again[n], value, n)
  # What merges, or had other names, comes back as itself in the newer form.
  model_again, params_again = published.recognise(again)
  assert model_again == model
  assert safetensors_io.sha256(params_again) == safetensors_io.sha256(params)


# A case of each set of names.
FORMS = (
  'esrgan_x4',
  'esrgan_x2_unshuffle',
  'esrgan_plus',
  'span',
  'spanf',
  'spanv2',
  'realplksr',
  'realplksr_dysample_x4',
  'plksr',
  'swinir_classical',
  'hat',
  'dat_light',
  'restormer',
  'nafnet',
  'dncnn',
  'dncnn_grey_norms',
  'ffdnet',
  'drunet',
  'fbcnn',
  'scunet',
  'lama_even',
  'migan',
)


@pytest.mark.parametrize('name', FORMS)
def test_missing_extra_and_misshapen_tensors_are_named(name):
  tensors = recognised(name)[0]
  # Not needed: what SPAN merged when the file was written, fixed filters.
  names = [
    n
    for n in tensors
    if n.endswith('weight')
    and '.filter.' not in n
    and '.insert_zeros.' not in n
    and (
      '.eval_conv.' not in n or n.replace('.eval_conv.', '.sk.') not in tensors
    )
  ]
  for gone in (names[0], names[len(names) // 2], names[-1]):
    rest = {n: value for n, value in tensors.items() if n != gone}
    with pytest.raises(ValueError, match=r'^w\.pth') as error:
      published.recognise(rest, 'w.pth')
    assert '\n' not in str(error.value)
  with pytest.raises(ValueError, match=r'w\.pth.*extra odd\.weight'):
    published.recognise(
      {**tensors, 'odd.weight': np.zeros(3, np.float32)}, 'w.pth'
    )
  middle = names[len(names) // 2]
  for shape in ((), (7,), (1, 1, 1, 1)):
    with pytest.raises(ValueError, match=r'^w\.pth'):
      published.recognise(
        {**tensors, middle: np.zeros(shape, np.float32)}, 'w.pth'
      )


def test_networks_of_two_views_are_refused():
  tensors = recognised('restormer')[0]
  odd = {'skip_conv.weight': np.zeros([16, 8, 1, 1], np.float32)}
  with pytest.raises(
    ValueError, match=r'w\.pth.*Restormer.*dual-pixel'
  ) as error:
    published.recognise(tensors | odd, 'w.pth')
  assert '\n' not in str(error.value)


def test_a_file_of_each_layout_is_the_same_network(tmp_path):
  tensors, model, params = recognised('nafnet')
  for write in (torch_containers.write_zip, torch_containers.write_legacy):
    path = tmp_path / 'w.pth'
    write(path, {'params': {f'module.{n}': v for n, v in tensors.items()}})
    found, back = published.recognise(tensor_files.read(str(path)))
    assert found == model
    assert safetensors_io.sha256(back) == safetensors_io.sha256(params)


def test_stale_merged_kernels_are_not_used():
  tensors, _, params = recognised('span')
  stale = {
    n: value + 1 if '.eval_conv.' in n else value
    for n, value in tensors.items()
  }
  assert any('.eval_conv.' in n for n in tensors)
  _, again = published.recognise(stale)
  assert safetensors_io.sha256(again) == safetensors_io.sha256(params)


def nested(tensors):
  """Objects of TorchScript, one in the other, with these named tensors."""
  attributes, children = {'training': False}, {}
  for name, value in tensors.items():
    child, _, rest = name.partition('.')
    if rest:
      children.setdefault(child, {})[rest] = value
    else:
      attributes[name] = value
  attributes |= {name: nested(inner) for name, inner in children.items()}
  return torch_containers.Object(**attributes)


def lightning(tensors):
  """A checkpoint of Lightning, with settings of OmegaConf that know parents."""
  call, raw = torch_containers.Call, torch_containers.Raw
  settings = call('omegaconf.dictconfig', 'DictConfig')
  settings = raw(
    torch_containers.pickled(settings, {})[2:-1]
    + b'q\x07}(U\x07_parenth\x07U\x04kindctyping\nAny\nub'
  )
  callback = raw(b'cpytorch_lightning.callbacks.model_checkpoint\nM\n')
  return {
    'epoch': 3,
    'callbacks': raw(b'}(' + callback + b'}U\x05stateK\x01su'),
    'state_dict': {
      'loss_resnet_pl.weight': np.ones(3, np.float32),
      **{
        f'generator.{n.removeprefix("model.")}': v for n, v in tensors.items()
      },
    },
    'hparams_name': 'config',
    'hyper_parameters': settings,
  }


def test_lama_of_torchscript_and_of_lightning_is_the_same(tmp_path):
  tensors, model, params = recognised('lama_even')
  script, checkpoint = tmp_path / 'big-lama.pt', tmp_path / 'best.ckpt'
  torch_containers.write_zip(script, nested(tensors), script=True)
  torch_containers.write_zip(checkpoint, lightning(tensors))
  for path in (script, checkpoint):
    config, found = published.load(str(path))
    assert config.task == 'inpaint'
    assert config.model.to_dict() == model
    assert safetensors_io.sha256(found) == safetensors_io.sha256(params)


def test_other_filters_of_migan_are_refused():
  tensors = recognised('migan')[0]
  name = 'synthesis.b8.upsample.filter.weight'
  for value in (2 * tensors[name], tensors[name][:, :, :2], np.ones(3)):
    with pytest.raises(ValueError, match=f'w.pth: names of MI-GAN, but {name}'):
      published.recognise({**tensors, name: value}, 'w.pth')


@pytest.mark.parametrize(
  'name, title',
  [
    ('layers.0.swin1.attn.relative_position_bias_table', 'DRCT'),
    ('layers.0.blocks.0.gamma', 'RGT'),
    ('feats.0.safm.mfr.0.weight', 'SAFMN'),
  ],
)
def test_what_is_known_but_not_supported_is_named(name, title):
  with pytest.raises(ValueError, match=f'looks like {title},.*ESRGAN') as error:
    published.recognise({name: np.ones(3, np.float32)}, 'w.pth')
  assert '\n' not in str(error.value)


@pytest.mark.filterwarnings('ignore:torch.meshgrid')  # spandrel's calls
@pytest.mark.filterwarnings('ignore:.torch.jit', 'ignore:Converting a tensor')
@pytest.mark.parametrize('name', CASES)
def test_torch_itself(tmp_path, name):
  case = CASES[name]
  spandrel = spandrel_library.load(case.package)
  import torch

  net, tensors = published_networks.in_torch(case)
  y = published_networks.result_in_torch(case, net)
  if published_networks.RENEW:
    published_networks.renew(name, tensors, y)
  held, golden = published_networks.golden(name)
  assert held.keys() == tensors.keys()
  np.testing.assert_allclose(golden, y, rtol=0, atol=1e-4 * np.abs(y).max())
  if case.title == 'LaMa':  # theirs has one size
    assert spandrel.architectures.LaMa.LaMaArch().detect(tensors)
    # As it is mostly published: a program of TorchScript.
    inputs = torch.zeros(1, 3, 16, 16), torch.zeros(1, 1, 16, 16)
    path = str(tmp_path / 'big-lama.pt')
    torch.jit.trace(net, inputs).save(path)
    model, params = published.recognise(tensor_files.read(path))
    assert model == recognised(name)[1]
    weights = recognised(name)[2]
    assert safetensors_io.sha256(params) == safetensors_io.sha256(weights)
    return
  if case.theirs:
    return
  # As it is published: read here, and recognised there as here.
  path = str(tmp_path / 'w.pth')
  state = {n: torch.tensor(value) for n, value in tensors.items()}
  torch.save({'params_ema': state}, path)
  loader = spandrel.ModelLoader()
  theirs = loader.load_from_file(path).architecture.id
  assert theirs == (case.library or case.title)
  model, params = published.recognise(tensor_files.read(path))
  assert model == recognised(name)[1]
  if case.one_way:
    return
  # As it is written here, spandrel makes the same of it.
  path = str(tmp_path / 'w.safetensors')
  published.save(path, model, params)
  back = loader.load_from_file(path).model.eval()
  np.testing.assert_allclose(
    published_networks.result_in_torch(case, back),
    y,
    rtol=0,
    atol=1e-5 * np.abs(y).max(),
  )
