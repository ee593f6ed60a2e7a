"""The command `artjax`: passes its arguments on to one of its subcommands.

Each subcommand is a function that takes the arguments and returns the exit
status. Its module is imported only when the subcommand is called.
"""

from collections.abc import Sequence
import difflib
import importlib
import sys

import artjax
from artjax import environment

COMMANDS = {  # name: (function, what it does)
  'restore': ('artjax.restoration.supervised:main', 'restore picture files'),
  'serve': ('artjax.commands.serve:main', 'open the web page on this machine'),
  'train': ('artjax.main:train', 'train a configuration'),
  'evaluate': ('artjax.main:evaluate', 'measure what was trained'),
  'collect': (
    'artjax.commands.collect:main',
    'fetch pictures of open museum collections',
  ),
  'prepare-data': (
    'artjax.commands.prepare_data:main',
    'make a dataset of sub-images from a folder of pictures',
  ),
  'import-weights': (
    'artjax.commands.import_weights:main',
    'read published weights of other programs',
  ),
  'fetch-weights': (
    'artjax.commands.fetch_weights:main',
    'fetch published weights from where their authors release them',
  ),
  'weights': (
    'artjax.commands.weights:main',
    'list the weights that there are',
  ),
  'formats': (
    'artjax.commands.formats:main',
    'list the picture formats that can be read here',
  ),
  'export': (
    'artjax.commands.export:main',
    'write weights for others: safetensors, ONNX',
  ),
  'calibrate': (
    'artjax.commands.calibrate:main',
    'hold what a network says of its own errors to what they are',
  ),
  'benchmark': ('artjax.benchmark.command:main', 'measure speed'),
}
WIDTH = max(map(len, COMMANDS)) + 2


def usage() -> str:
  """What `artjax --help` prints."""
  lines = [f'  {name:{WIDTH}}{text}' for name, (_, text) in COMMANDS.items()]
  return '\n'.join(
    [
      f'artjax {artjax.__version__}: restores pictures of artworks.',
      '',
      'usage: artjax COMMAND [ARGUMENTS]     artjax COMMAND --help',
      '',
      *lines,
    ]
  )


def main(argv: Sequence[str] | None = None) -> int:
  """Runs the subcommand that the first argument names; returns the status."""
  name, *rest = [*(sys.argv[1:] if argv is None else argv)] or ['--help']
  if name in ('-h', '--help', 'help'):
    print(usage())
    return 0
  if name in ('-V', '--version'):
    print(f'artjax {artjax.__version__}')
    return 0
  if name not in COMMANDS:
    close = difflib.get_close_matches(name, COMMANDS, 1)
    hint = f'did you mean {close[0]}?' if close else 'see artjax --help'
    print(f'artjax: no command {name!r}; {hint}', file=sys.stderr)
    return 2
  environment.set_defaults()
  # By this argparse and absl name the command in their messages.
  sys.argv[:] = [f'artjax {name}', *rest]
  module, _, function = COMMANDS[name][0].partition(':')
  try:
    return getattr(importlib.import_module(module), function)(rest) or 0
  except KeyboardInterrupt:  # where the command does not answer it itself
    print(f'artjax {name}: interrupted', file=sys.stderr)
    return 130


if __name__ == '__main__':
  sys.exit(main())
