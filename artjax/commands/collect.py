"""Fetches pictures of open museum collections, with licence and provenance.

  artjax collect met 'still life' --output=met/ --limit=100 --contact=ME@MY.ORG
  artjax collect commons 'Category:Paintings by Judith Leyster' \\
      --output=leyster/ --limit=50 --licence=cc0,pdm,by-sa --contact=ME@MY.ORG

Only pictures whose own record names one of the licences that you accept are
fetched. `pictures.jsonl` in the folder says where each is from. The same
command resumes, and tries again what failed. The last line of stdout is a JSON
object; the exit status is 1 if something failed. docs/collect.md describes the
providers.
"""

import argparse
from collections.abc import Sequence
import json
import os
import sys
import time
from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
  """Fetches, prints the JSON line; returns the exit status."""
  from artjax.data.collections import providers

  args = _parser(providers.NAMES).parse_args(argv)
  from artjax.restoration.batch import interrupts

  try:
    with interrupts.Interrupts():
      result = _collect(args)
  except (ValueError, OSError) as error:
    sys.exit(f'artjax collect: {error}')
  except KeyboardInterrupt:
    print(
      'artjax collect: interrupted; what is fetched is kept, the same command '
      'goes on from there',
      file=sys.stderr,
    )
    return 130
  if result['stopped']:
    print(f'artjax collect: stopped: {result["stopped"]}', file=sys.stderr)
  print(json.dumps(result))
  return 1 if result['failed'] or result['stopped'] else 0


def _collect(args) -> dict[str, Any]:
  try:
    from artjax.data.collections import collect
    from artjax.data.collections import web as web_lib
  except ImportError as error:
    raise ValueError(
      f'needs httpx2 and protego: pip install "artjax[collect]" ({error})'
    ) from error
  from artjax.data.collections import base
  from artjax.data.collections import licences
  from artjax.data.collections import providers

  start = time.monotonic()
  provider = providers.load(args.provider)
  settings = collect.Settings(
    args.limit,
    licences.parse(args.licence),
    int(args.max_mb * 2**20),
    args.max_megapixels * 1e6,
  )
  query = base.Query(args.query, _filters(args.filter), args.size)
  output = os.path.expanduser(args.output)
  with web_lib.Web(args.contact, provider, _key(provider, args.key)) as web:
    result = collect.collect(provider, query, output, settings, web)
  return {
    **result,
    'output': output,
    'source': f'folder:{output}',
    'seconds': round(time.monotonic() - start, 2),
  }


def _key(provider, given) -> str:
  """The API key of a provider, from --key or the environment."""
  if not provider.key:
    return ''
  key = given or os.environ.get(provider.key.variable, '')
  if not key:
    raise ValueError(
      f'{provider.name} needs an API key: set {provider.key.variable} or pass '
      f'--key; one is free at {provider.key.page}'
    )
  return key


def _filters(texts) -> dict[str, str]:
  """['a=1'] -> {'a': '1'}."""
  for text in texts:
    if '=' not in text:
      raise ValueError(f'--filter={text} is not of the form NAME=VALUE')
  return dict(text.split('=', 1) for text in texts)


def _parser(names) -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument(
    'provider', metavar='PROVIDER', choices=names, help=', '.join(names)
  )
  parser.add_argument(
    'query', metavar='QUERY', help='what to fetch, see docs/collect.md'
  )
  parser.add_argument('--output', required=True, metavar='DIR', help='folder')
  parser.add_argument(
    '--limit',
    type=int,
    required=True,
    help='pictures that the folder is to hold of this provider',
  )
  parser.add_argument(
    '--contact',
    required=True,
    metavar='MAIL',
    help='mail address or web page to identify yourself to the museum',
  )
  parser.add_argument(
    '--licence',
    default='cc0,pdm',
    help='licences to accept; default %(default)s',
  )
  parser.add_argument(
    '--filter',
    action='append',
    default=[],
    metavar='NAME=VALUE',
    help="a parameter of the provider's search; may be repeated",
  )
  parser.add_argument(
    '--size',
    type=int,
    default=0,
    help='longer side to ask for, px, where the provider can scale; default: '
    'the largest there is',
  )
  parser.add_argument(
    '--max_mb',
    type=float,
    default=100,
    help='largest file, MiB; default %(default)s',
  )
  parser.add_argument(
    '--max_megapixels',
    type=float,
    default=100,
    help='largest picture; default %(default)s',
  )
  parser.add_argument(
    '--key', default='', help='API key; better in the environment'
  )
  return parser
