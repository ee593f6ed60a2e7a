"""Content credentials (C2PA): a signed manifest of what was done to a file.

Needs the package c2pa-python: the extra `c2pa`. https://spec.c2pa.org
"""

import base64
import json
import os
import re
from typing import Any

import artjax
from artjax.image_io import formats
from artjax.restoration.chain import Chain

# Terms of the IPTC: what a network has invented, or what it has corrected.
_SOURCE_TYPES = 'http://cv.iptc.org/newscodes/digitalsourcetype/'
_INVENTED = f'{_SOURCE_TYPES}compositeWithTrainedAlgorithmicMedia'
_CORRECTED = f'{_SOURCE_TYPES}algorithmicallyEnhanced'
# Object identifiers in a private key -> its algorithm of signing.
_ALGORITHMS = {
  '2a8648ce3d030107': 'es256',
  '2b81040022': 'es384',
  '2b81040023': 'es512',
  '2b6570': 'ed25519',
  '2a864886f70d010101': 'ps256',
}
_BLOCK = re.compile(
  r'-----BEGIN ([A-Z ]+)-----\s+([A-Za-z0-9+/=\s]+?)-----END \1-----\n?'
)


class Signer:
  """Signs results with the key and certificates of a file."""

  def __init__(self, path: str):
    """Reads a PEM file: a private key, its certificate, and those above it.

    Raises:
      ValueError: no such file, no key or certificate in it, or the package
        c2pa-python is missing.
    """
    try:
      import c2pa  # an extra
    except ImportError as error:
      raise ValueError(
        f'--c2pa needs the package c2pa-python: pip install "artjax[c2pa]" '
        f'({error})'
      ) from error
    key, certificates = _read(path)
    info = c2pa.C2paSignerInfo(
      _algorithm(path, key).encode(), certificates.encode(), key.encode(), None
    )
    try:
      self._signer = c2pa.Signer.from_info(info)
    except c2pa.C2paError as error:
      raise ValueError(f'{path}: cannot sign: {_line(error)}') from error
    self._c2pa = c2pa

  def sign(
    self,
    path: str,
    output: str,
    source: str,
    chain: Chain,
    event: Any,
    filled: bool = False,
  ) -> None:
    """Puts a signed manifest into a written file.

    Args:
      path: of the file; it is replaced.
      output: its future name.
      source: path of the source picture, the manifest's ingredient.
      chain: the chain that was run.
      event: from `history.event`.
      filled: whether something in it was filled.

    Raises:
      ValueError: it cannot be signed, in one line.
    """
    builder = self._c2pa.Builder(_manifest(output, chain, event, filled))
    builder.set_intent(self._c2pa.C2paBuilderIntent.EDIT)
    part = f'{path}.signed'
    try:
      with open(source, 'rb') as file:
        builder.add_ingredient(
          {'title': os.path.basename(source), 'relationship': 'parentOf'},
          _media_type(source),
          file,
        )
      with open(path, 'rb') as file, open(part, 'w+b') as signed:
        builder.sign(self._signer, _media_type(path), file, signed)
      os.replace(part, path)
    except self._c2pa.C2paError as error:
      raise ValueError(f'{output}: cannot be signed: {_line(error)}') from error
    finally:
      if os.path.exists(part):
        os.remove(part)


def source_type(chain: Chain, filled: bool) -> str:
  """What the IPTC calls a picture that a chain has made: a term's address.

  Args:
    chain: what was run.
    filled: whether it has filled something; that is composed, by definition.
  """
  invented = chain.conjecture or chain.scale > 1 or filled
  return _INVENTED if invented else _CORRECTED


def _manifest(output, chain, event, filled):
  """The manifest's definition, of which c2pa-python makes JSON."""
  software = {'name': 'artjax', 'version': artjax.__version__}
  return {
    'claim_generator_info': [software],
    'title': os.path.basename(output),
    'assertions': [
      {
        'label': 'c2pa.actions.v2',
        'data': {
          'actions': [
            {
              'action': 'c2pa.edited',
              'when': event['when'],
              'softwareAgent': software,
              'digitalSourceType': source_type(chain, filled),
              'parameters': {
                f'artjax.{name}': value
                for name, value in json.loads(event['parameters']).items()
              },
            }
          ]
        },
      }
    ],
  }


def _read(path):
  """(private key, certificates) of a PEM file."""
  try:
    with open(path, encoding='ascii') as file:
      blocks = list(_BLOCK.finditer(file.read()))
  except (OSError, UnicodeDecodeError) as error:
    reason = getattr(error, 'strerror', None) or 'not a PEM file'
    raise ValueError(f'--c2pa={path}: {reason}') from error
  keys = [b[0] for b in blocks if b[1].endswith('PRIVATE KEY')]
  certificates = [b[0] for b in blocks if b[1] == 'CERTIFICATE']
  if len(keys) != 1 or not certificates:
    raise ValueError(
      f'--c2pa={path}: it must hold one PRIVATE KEY and its CERTIFICATEs as PEM'
    )
  return keys[0], ''.join(certificates)


def _algorithm(path, key):
  """How a private key signs."""
  data = base64.b64decode(_BLOCK.match(key)[2])
  for identifier, name in _ALGORITHMS.items():
    if bytes.fromhex(identifier) in data:
      return name
  raise ValueError(
    f'--c2pa={path}: the key must be of ES256, ES384, ES512, Ed25519 or PS256, '
    'as PKCS #8'
  )


def _media_type(path):
  with open(path, 'rb') as file:
    head = file.read(formats.HEAD)
  kind = formats.file_format(head) or 'unknown'
  if kind == 'HEIF' and head[8:12] in (b'avif', b'avis'):
    kind = 'AVIF'
  return f'image/{kind.lower()}'


def _line(error):
  return ' '.join(str(error).split())
