"""Adds the restoration as an event to the history in a result's XMP."""

import datetime
import json
import os
import re

import artjax
from artjax.restoration.chain import Chain
from artjax.restoration.options import Options


def event(chain: Chain, options: Options) -> dict[str, str]:
  """The action, its time and software, as fields of an XMP ResourceEvent.

  Args:
    chain: the chain that is run.
    options: its options; those that are not at their defaults are named.

  Returns:
    {'action', 'when', 'softwareAgent', 'parameters'}; the parameters are JSON:
    all weights with the sha256 of their tensors, the options, and which parts
    of the result are conjecture.
  """
  said = options.as_json()
  flat = said | said.pop('mask', {})
  names = {name.removeprefix('mask_') for name in options.changed()}
  parameters = {
    'weights': [
      {
        # Without folders, and as what ships is called.
        'name': re.sub(r'[^+,:\'"]*/|\.safetensors', '', part['name']),
        'params_sha256': part['params_sha256'],
      }
      for part in chain.describe()
    ],
    'options': {k: v for k, v in flat.items() if k in names},
  }
  if chain.conjecture:
    parameters['conjecture'] = chain.conjecture
  return {
    'action': 'edited',
    'when': now().isoformat(timespec='seconds'),
    'softwareAgent': f'artjax {artjax.__version__}',
    'parameters': json.dumps(parameters, ensure_ascii=False),
  }


def now() -> datetime.datetime:
  """The local time, or SOURCE_DATE_EPOCH if set, for reproducible results.

  https://reproducible-builds.org/specs/source-date-epoch
  """
  fixed = os.environ.get('SOURCE_DATE_EPOCH', '')
  if fixed.isdecimal():
    return datetime.datetime.fromtimestamp(int(fixed), datetime.UTC)
  return datetime.datetime.now().astimezone()
