"""PyTorch's files without PyTorch: layouts, types, and what is refused."""

import os
import pickle
import zipfile

import numpy as np
import pytest
import torch_containers

from artjax.interop import tensor_files

_RNG = np.random.default_rng(0)
TENSORS = {
  'body.0.weight': _RNG.standard_normal((6, 3, 3, 3), np.float32),
  'body.0.bias': _RNG.standard_normal(6, np.float32),
}
WRITERS = {
  'zip': torch_containers.write_zip,
  'legacy': torch_containers.write_legacy,
}


def read(path, value, layout='zip', **options):
  WRITERS[layout](path, value, **options)
  return tensor_files.read(str(path))


def assert_equal(found, expected):
  assert found.keys() == expected.keys()
  for name, value in expected.items():
    assert found[name].dtype == np.float32
    np.testing.assert_array_equal(found[name], value)


@pytest.mark.parametrize('layout', WRITERS)
def test_tensors_come_back(tmp_path, layout):
  assert_equal(read(tmp_path / 'w.pth', TENSORS, layout), TENSORS)


@pytest.mark.parametrize('layout', WRITERS)
def test_types_strides_and_shared_storages(tmp_path, layout):
  numbers = np.arange(24, dtype=np.float32)
  half = np.float16([0.5, -2, 65504])
  brain = np.float32([1.5, -0.25, 3e38]).view(np.uint32) >> 16
  brain = brain.astype(np.uint16)
  view = torch_containers.View
  found = read(
    tmp_path / 'w.pt',
    {
      'turned': view(numbers, (3, 2), (1, 3)),  # shared with the next
      'part': view(numbers, (2, 2), (4, 2), offset=5),
      'none': view(numbers, (0, 3), (3, 1)),
      'half': half,
      'brain': view(brain, (3,), (1,), kind='bf'),
      'double': np.float64([1 / 3]),
      'count': np.array(7),
    },
    layout,
  )
  assert_equal(
    found,
    {
      'turned': numbers[:6].reshape(2, 3).T,
      'part': [[5, 7], [9, 11]],
      'none': np.zeros((0, 3)),
      'half': [0.5, -2, 65504],
      'brain': (brain.astype(np.uint32) << 16).view(np.float32),
      'double': np.float32([1 / 3]),
      'count': np.float32(7),
    },
  )
  assert found['brain'][:2].tolist() == [1.5, -0.25]


def test_dictionaries_of_python_2(tmp_path):
  pairs = [[name, value] for name, value in TENSORS.items()]
  ordered = torch_containers.Call('collections', 'OrderedDict', pairs)
  assert_equal(read(tmp_path / 'w.pth', {'params': ordered}), TENSORS)


def test_objects_of_torchscript_are_named_as_their_network(tmp_path):
  net = torch_containers.Object(
    training=False,
    body=torch_containers.Object(
      **{'0': torch_containers.Object(weight=TENSORS['body.0.weight'])}
    ),
    name='net',
  )
  found = read(tmp_path / 'w.pt', net, script=True)
  assert_equal(found, {'body.0.weight': TENSORS['body.0.weight']})
  with pytest.raises(ValueError, match='refused.*__torch__.nets.Net'):
    read(tmp_path / 'w.pth', net)  # where no program is


@pytest.mark.parametrize(
  'wrap',
  [
    lambda t: {'params': {}, 'params_ema': t},
    lambda t: {'params-ema': t, 'params': {'other': t['body.0.bias']}},
    lambda t: {'epoch': 3, 'state_dict': t, 'optimizer': {'a': [1]}},
    lambda t: {'model_state_dict': {f'module.{k}': v for k, v in t.items()}},
    lambda t: {'model': {'params': t}},
    lambda t: {'anything': t},
    lambda t: {'net': {f'netG.module.{k}': v for k, v in t.items()}},
    lambda t: {
      'state_dict': {'discriminator.a': t['body.0.bias']}
      | {f'generator.{k}': v for k, v in t.items()}
    },
    lambda t: t | {'epoch': 3},
  ],
)
def test_what_is_wrapped_around_them(tmp_path, wrap):
  assert_equal(read(tmp_path / 'w.ckpt', wrap(TENSORS)), TENSORS)


@pytest.mark.parametrize('layout', WRITERS)
@pytest.mark.parametrize(
  'module, name',
  [
    ('os', 'system'),
    ('posix', 'system'),
    ('builtins', 'eval'),
    ('__builtin__', 'exec'),
    ('torch._utils', '_rebuild_device_tensor_from_numpy'),
    ('collections', 'OrderedDict.fromkeys'),
  ],
)
def test_a_program_is_refused_by_name_and_does_not_run(
  tmp_path, layout, module, name
):
  ran = tmp_path / 'ran'
  command = f'touch {ran}' if name == 'system' else f'open({str(ran)!r}, "w")'
  evil = torch_containers.Call(module, name, command)
  with pytest.raises(ValueError, match=rf'w.pth: refused.*{module}\.{name}'):
    read(tmp_path / 'w.pth', {**TENSORS, 'a': evil}, layout)
  assert not ran.exists()


def test_python_own_way_to_run_something_is_refused(tmp_path):
  class Program:
    def __reduce__(self):
      return os.mkdir, (str(tmp_path / 'ran'),)

  path = tmp_path / 'w.pth'
  for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    with zipfile.ZipFile(path, 'w') as archive:
      archive.writestr('a/data.pkl', pickle.dumps(Program(), protocol))
    with pytest.raises(ValueError, match=r'refused.*(posix|nt)\.mkdir'):
      tensor_files.read(str(path))
  assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(
  'instructions, reason',
  [
    (b'i__builtin__\neval\n', 'the instruction INST'),
    (b'\x82\x01', 'the instruction EXT1'),
    (b'(' * 2000, 'open marks'),
    (b'R', 'the stack is empty'),
    (b'}K\x01(tK\x02s', 'damaged'),  # a tuple, before the key
    (b'})NsN', 'a key'),  # a tuple as a key
    (b'N}b', 'attributes'),
    (b'\x8b\xff\xff\xff\x7f', 'damaged'),  # a number of 2 GB
    (b'\x8d' + b'\xff' * 7 + b'\x7f', 'damaged'),  # a text of 2^63 bytes
    (b'X\xff\xff\xff\x7fa', 'damaged'),
    (b'', 'a key without a value'),
  ],
)
def test_instructions_that_no_tensors_need(tmp_path, instructions, reason):
  value = {'a': torch_containers.Raw(instructions)}
  with pytest.raises(ValueError, match=f'w.pth: .*{reason}'):
    read(tmp_path / 'w.pth', value)


@pytest.mark.parametrize(
  'shape, strides, offset',
  [
    ((7,), (1,), 0),  # beyond the end
    ((2,), (1,), 5),
    ((2, 2), (5, 1), 0),
    ((2,), (-1,), 1),
    ((2,), (1, 1), 0),
    ((1,) * 9, (1,) * 9, 0),
    ((2**40,), (0,), 0),  # one number, repeated
    ((2**16, 2**16), (0, 0), 0),
  ],
)
def test_views_beyond_their_numbers(tmp_path, shape, strides, offset):
  view = torch_containers.View(np.zeros(6, np.float32), shape, strides, offset)
  with pytest.raises(ValueError, match='w.pth: not a file of tensors'):
    read(tmp_path / 'w.pth', {'a': view})


def test_bombs(tmp_path):
  path = tmp_path / 'w.pth'
  zeros = np.zeros(10_000_000, np.float32)
  with pytest.raises(ValueError, match='not compressed'):
    read(path, {'a': zeros}, compression=zipfile.ZIP_DEFLATED)
  # Objects in objects, more than Python's own stack could follow.
  deep = b')' + b'\x85' * 100_000
  with pytest.raises(ValueError, match='nested more than'):
    read(path, {'a': torch_containers.Raw(deep)})
  # Entries that claim to be larger than the file.
  data = bytearray(path.read_bytes())
  at = data.rindex(b'PK\x01\x02', 0, data.rindex(b'PK\x01\x02'))
  data[at + 20 : at + 28] = b'\xff\xff\xff\x7f' * 2
  path.write_bytes(data)
  with pytest.raises(ValueError, match='w.pth: not a file of tensors'):
    tensor_files.read(str(path))
  np.savez_compressed(tmp_path / 'w.npz', a=np.zeros(30_000_000))
  with pytest.raises(ValueError, match='zip bomb'):
    tensor_files.read(str(tmp_path / 'w.npz'))


@pytest.mark.parametrize('layout', WRITERS)
def test_every_cut_is_one_line(tmp_path, layout):
  path = tmp_path / 'w.pth'
  read(path, TENSORS, layout)
  whole = path.read_bytes()
  for size in (*range(0, len(whole), 7), len(whole) - 1):
    path.write_bytes(whole[:size])
    with pytest.raises(ValueError) as error:
      tensor_files.read(str(path))
    assert '\n' not in str(error.value)
    assert str(error.value).startswith(f'{path}: not a file of tensors')


@pytest.mark.parametrize('layout', WRITERS)
def test_flipped_bytes_end_in_numbers_or_one_line(tmp_path, layout):
  path = tmp_path / 'w.pth'
  read(path, TENSORS, layout)
  whole = path.read_bytes()
  rng = np.random.default_rng(0)
  refused = 0
  for _ in range(300):
    data = bytearray(whole)
    for at in rng.integers(len(data), size=3):
      data[at] = rng.integers(256)
    path.write_bytes(data)
    try:
      tensor_files.read(str(path))
    except ValueError as error:
      refused += 1
      assert str(error).startswith(f'{path}: ') and '\n' not in str(error)
  assert refused > 100


def test_torch_writes_what_is_read(tmp_path):
  torch = pytest.importorskip('torch', reason='compares with torch')
  base = torch.arange(24.0).reshape(4, 6)
  tensors = {
    'a': torch.tensor(TENSORS['body.0.weight']).to(
      memory_format=torch.channels_last
    ),
    'half': base.half(),
    'brain': base.bfloat16() / 7,
    'view': base.T[1:3],
    'parameter': torch.nn.Parameter(base),
    'count': torch.tensor(3),
    'truth': torch.tensor([True, False]),
  }
  expected = {
    name: value.detach().float().numpy() for name, value in tensors.items()
  }
  path = str(tmp_path / 'w.pth')
  for zipped in (True, False):
    torch.save(
      {'params': tensors, 'iter': 3},
      path,
      _use_new_zipfile_serialization=zipped,
    )
    assert_equal(tensor_files.read(path), expected)
  net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 4, 3), torch.nn.Sequential(torch.nn.BatchNorm2d(4))
  )
  with pytest.warns(DeprecationWarning, match='script'):
    torch.jit.script(net).save(path)
  assert_equal(
    tensor_files.read(path),
    {k: v.float().numpy() for k, v in net.state_dict().items()},
  )
