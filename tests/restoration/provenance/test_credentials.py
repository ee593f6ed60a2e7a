"""Signed results are valid, say what was done, and hold the same pixels."""

import datetime
import json

import numpy as np
from PIL import Image
import pytest
import pyvips

from artjax.restoration import command
from artjax.restoration import restore_file
from artjax.restoration.options import Options
from artjax.restoration.provenance import credentials

c2pa = pytest.importorskip('c2pa', reason='needs c2pa-python')
TERM = 'http://cv.iptc.org/newscodes/digitalsourcetype/'


@pytest.fixture(scope='module', name='pem')
def pem_fixture(tmp_path_factory):
  """A file with a key, its certificate, and that of who has issued it."""
  from cryptography import x509
  from cryptography.hazmat.primitives import hashes
  from cryptography.hazmat.primitives import serialization
  from cryptography.hazmat.primitives.asymmetric import ec

  now = datetime.datetime.now(datetime.UTC)
  names = [
    x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, name)])
    for name in ('Test', 'Test CA')
  ]
  keys = [ec.generate_private_key(ec.SECP256R1()) for _ in names]
  usage = dict.fromkeys(
    'content_commitment key_encipherment data_encipherment key_agreement '
    'crl_sign encipher_only decipher_only'.split(),
    False,
  )
  made = []
  for i, (name, key) in enumerate(zip(names, keys)):
    builder = (
      x509.CertificateBuilder(names[1], name, key.public_key(), i + 1)
      .not_valid_before(now - datetime.timedelta(1))
      .not_valid_after(now + datetime.timedelta(30))
      .add_extension(x509.BasicConstraints(i == 1, None), True)
      .add_extension(
        x509.KeyUsage(digital_signature=i == 0, key_cert_sign=i == 1, **usage),
        True,
      )
      .add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(
          keys[1].public_key()
        ),
        False,
      )
    )
    if i == 0:
      use = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.EMAIL_PROTECTION])
      builder = builder.add_extension(use, True)
    made.append(builder.sign(keys[1], hashes.SHA256()))
  encoding = serialization.Encoding.PEM
  key = keys[0].private_bytes(
    encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
  )
  path = tmp_path_factory.mktemp('keys') / 'key.pem'
  path.write_bytes(key + b''.join(c.public_bytes(encoding) for c in made))
  return str(path)


def written(path):
  values = np.random.default_rng(0).integers(0, 256, [40, 50, 3], np.uint8)
  exif = Image.Exif()
  exif[315] = 'A. N. Other'
  options = {} if str(path).endswith(('.bmp', '.gif')) else {'exif': exif}
  Image.fromarray(values).save(path, **options)


def manifest(path):
  found = json.loads(c2pa.Reader(str(path)).json())
  # Nobody trusts the issuer that the test has made up; all else is in order.
  assert found['validation_state'] == 'Valid'
  return found['manifests'][found['active_manifest']]


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.tif', '.webp', '.avif'])
def test_a_signed_result_says_what_was_done(tmp_path, pem, small_chain, suffix):
  source = str(tmp_path / f'a{suffix}')
  written(source)
  plain, signed = (str(tmp_path / f'{name}{suffix}') for name in 'bc')
  signer = credentials.Signer(pem)
  for path, given in ((plain, None), (signed, signer)):
    record = restore_file.restore_file(
      source, small_chain, restore_file.Outputs(path), signer=given
    )
    assert record['marks'] == {
      'history': True,
      'c2pa': bool(given),
      'source_type': f'{TERM}algorithmicallyEnhanced',
    }
  found = manifest(signed)
  assert found['title'] == f'c{suffix}'
  (ingredient,) = found['ingredients']
  assert ingredient['title'] == f'a{suffix}'
  assert ingredient['relationship'] == 'parentOf'
  (actions,) = (
    each['data']['actions']
    for each in found['assertions']
    if each['label'].startswith('c2pa.actions')
  )
  (edited,) = (each for each in actions if each['action'] == 'c2pa.edited')
  assert edited['digitalSourceType'] == f'{TERM}algorithmicallyEnhanced'
  weights = edited['parameters']['artjax.weights']
  assert (
    weights[0]['params_sha256'] == (small_chain.describe()[0]['params_sha256'])
  )
  pixels = [
    pyvips.Image.new_from_file(path, revalidate=True).numpy()
    for path in (plain, signed)
  ]
  np.testing.assert_array_equal(*pixels)
  with Image.open(signed) as result:
    assert result.getexif()[315] == 'A. N. Other'


@pytest.mark.parametrize('suffix', ['.bmp', '.gif'])
def test_sources_of_other_formats_are_ingredients(
  tmp_path, pem, small_chain, suffix
):
  source, target = str(tmp_path / f'a{suffix}'), str(tmp_path / 'b.png')
  written(source)
  restore_file.restore_file(
    source,
    small_chain,
    restore_file.Outputs(target),
    signer=credentials.Signer(pem),
  )
  (ingredient,) = manifest(target)['ingredients']
  assert ingredient['title'] == f'a{suffix}'


def test_what_is_invented_is_marked(small_chain, monkeypatch):
  event = {'when': '2023-11-14T22:13:20+00:00', 'parameters': '{}'}
  kinds = []
  for conjecture, scale, filled in (
    ([], 1, False),
    (['drawn'], 1, False),
    ([], 4, False),
    ([], 1, True),
  ):
    monkeypatch.setattr(
      type(small_chain), 'conjecture', conjecture, raising=False
    )
    monkeypatch.setattr(small_chain, 'scale', scale, raising=False)
    made = credentials._manifest('a.png', small_chain, event, filled)
    (action,) = made['assertions'][0]['data']['actions']
    kinds.append(action['digitalSourceType'].removeprefix(TERM))
  assert kinds == [
    'algorithmicallyEnhanced',
    *['compositeWithTrainedAlgorithmicMedia'] * 3,
  ]


def test_stripped_results_are_not_signed(tmp_path, pem, small_chain):
  written(tmp_path / 'a.png')
  restore_file.restore_file(
    str(tmp_path / 'a.png'),
    small_chain,
    restore_file.Outputs(str(tmp_path / 'b.png')),
    Options(strip_metadata=True),
    signer=credentials.Signer(pem),
  )
  with pytest.raises(c2pa.C2paError, match='ManifestNotFound'):
    c2pa.Reader(str(tmp_path / 'b.png'))


@pytest.mark.parametrize(
  'change, message',
  [
    (lambda text: None, 'No such file'),
    (lambda text: 'no key', 'must hold one PRIVATE KEY'),
    (lambda text: text.split('-----BEGIN CERT')[0], 'its CERTIFICATEs'),
    (lambda text: text.replace('\nM', '\nX', 1), 'key must be|cannot sign'),
    (lambda text: text + 'ü', 'not a PEM file'),
  ],
)
def test_a_key_that_cannot_sign_is_refused(tmp_path, pem, change, message):
  with open(pem, encoding='ascii') as file:
    text = change(file.read())
  path = tmp_path / 'bad.pem'
  if text is not None:
    path.write_text(text, encoding='utf-8')
  with pytest.raises(ValueError, match=message) as error:
    credentials.Signer(str(path))
  assert '\n' not in str(error.value) and 'bad.pem' in str(error.value)


def test_the_command_signs(tmp_path, pem, small_chain):
  written(tmp_path / 'a.png')
  weights = f'--weights={small_chain.stages[0].name}'
  args = [str(tmp_path / 'a.png'), '-o', str(tmp_path / 'o'), weights]
  assert command.main([*args, f'--c2pa={pem}']) == 0
  assert manifest(tmp_path / 'o' / 'a.png')['title'] == 'a.png'
