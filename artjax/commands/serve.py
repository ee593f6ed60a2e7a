"""The web page: upload a picture, see it restored, compare, download.

  artjax serve --port=8080

Then open http://127.0.0.1:8080. Nothing leaves the machine: the page contacts
only this server, which by default accepts connections from this machine alone.
Files are deleted an hour after their last use, and when the server ends
(Ctrl-C). The last line of stdout is a JSON object.
"""

import argparse
from collections.abc import Sequence
import json
import os
import socket
import sys
import threading
import time
import webbrowser

from artjax.web.server import limits

_ANY = ('0.0.0.0', '::')  # addresses at which no browser asks
_LOCAL = ('127.0.0.1', 'localhost', '::1')
_TOKEN_LENGTH = 12  # at least
_DEFAULT = limits.Limits()


def parse(
  argv: Sequence[str] | None = None,
) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
  """The command line."""
  parser = argparse.ArgumentParser(
    description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
  )
  parser.add_argument(
    '--port',
    type=int,
    default=8080,
    help='0 = any that is free; default %(default)s',
  )
  parser.add_argument(
    '--host',
    default='127.0.0.1',
    help="address to listen on; any but this machine's own needs --token",
  )
  parser.add_argument(
    '--token',
    default=os.environ.get('ARTJAX_TOKEN', ''),
    help='what users must know; also $ARTJAX_TOKEN, which '
    'other users of the machine cannot see',
  )
  parser.add_argument(
    '--name',
    action='append',
    default=[],
    metavar='HOST',
    help='another name under which users reach it',
  )
  parser.add_argument(
    '--weights',
    default='',
    metavar='FOLDER',
    help='of the weights; default: pretrained/',
  )
  parser.add_argument(
    '--megapixels',
    type=float,
    default=_DEFAULT.pixels / 1e6,
    help='larger pictures are refused; default %(default)g',
  )
  parser.add_argument(
    '--memory',
    type=float,
    default=_DEFAULT.run_memory / 2**30,
    metavar='GIB',
    help='of the process that restores; default %(default)g',
  )
  parser.add_argument(
    '--quota',
    type=float,
    default=_DEFAULT.quota / 2**30,
    metavar='GIB',
    help='of files on disk; default %(default)g',
  )
  parser.add_argument(
    '--queue',
    type=int,
    default=_DEFAULT.queue,
    help='jobs that may wait; default %(default)s',
  )
  parser.add_argument(
    '--minutes',
    type=float,
    default=_DEFAULT.ttl / 60,
    help='files are kept unused; default %(default)g',
  )
  parser.add_argument(
    '--open', action='store_true', help='open the page in the browser'
  )
  args = parser.parse_args(argv)
  if args.token and len(args.token) < _TOKEN_LENGTH:
    parser.error(f'--token is shorter than {_TOKEN_LENGTH} characters')
  if not args.token.isascii() or set(args.token) & set(' ;,"\\'):
    parser.error(
      '--token is sent in a cookie: it may not hold spaces, commas, '
      'semicolons, quotes, backslashes or letters beyond ASCII'
    )
  if args.host not in _LOCAL and not args.token:
    parser.error(
      f'--host={args.host} lets others in: give a --token that they must know'
    )
  if args.weights and not os.path.isdir(args.weights):
    parser.error(f'--weights={args.weights}: no such folder')
  for name in ('megapixels', 'memory', 'quota', 'queue', 'minutes'):
    if getattr(args, name) <= 0:
      parser.error(f'--{name} must be more than 0')
  return parser, args


def main(argv: Sequence[str] | None = None) -> int:
  """Serves until it is interrupted; returns the exit status."""
  parser, args = parse(argv)
  try:
    import uvicorn

    from artjax.web.server import app as web
  except ImportError as error:
    sys.exit(f'artjax serve: {error}; install it: pip install "artjax[web]"')

  from artjax.inference import weights
  from artjax.web.server import abilities

  family = socket.AF_INET6 if ':' in args.host else socket.AF_INET
  listener = socket.socket(family)
  listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
  try:
    listener.bind((args.host, args.port))
    listener.listen()  # Who comes before the server is up waits.
  except (OSError, OverflowError) as error:
    listener.close()
    parser.error(
      f'cannot listen on {args.host}:{args.port}: '
      f'{getattr(error, "strerror", None) or error}'
    )
  hosts = {*_LOCAL, args.host, *args.name}
  if args.host not in _LOCAL:
    hosts.add(socket.gethostname())
  start = time.time()
  app = web.create_app(
    limits.Limits(
      pixels=int(args.megapixels * 1e6),
      queue=args.queue,
      run_memory=int(args.memory * 2**30),
      quota=int(args.quota * 2**30),
      ttl=args.minutes * 60,
    ),
    args.weights or abilities.PRETRAINED,
    hosts,
    args.token,
    warm=True,
    own_weights=weights.user_folder(),
  )
  port = listener.getsockname()[1]
  name = f'[{args.host}]' if ':' in args.host else args.host
  server = uvicorn.Server(
    uvicorn.Config(
      app,
      log_level='warning',
      access_log=False,
      server_header=False,
      timeout_graceful_shutdown=2,
      h11_max_incomplete_event_size=32 << 10,
    )
  )
  try:
    print(f'artjax: http://{name}:{port}/   (Ctrl-C ends)', flush=True)
    if args.open:
      _open(f'http://{"127.0.0.1" if args.host in _ANY else name}:{port}/')
    server.run(sockets=[listener])
  except KeyboardInterrupt:
    pass
  queue = getattr(app.state, 'queue', None)  # None: it had not even begun
  print(
    json.dumps(
      {
        'port': port,
        'jobs': dict(queue.counts) if queue else {},
        'seconds': round(time.time() - start, 1),
      }
    )
  )
  return 0


def _open(address):
  """Shows the page in the user's browser, without waiting for its end."""

  def show():
    if not webbrowser.open(address):
      print(f'artjax: no browser found; open {address}', file=sys.stderr)

  threading.Thread(target=show, daemon=True).start()
