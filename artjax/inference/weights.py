"""How weights are named: one grammar, parsed in one place.

  chain   one or more networks, one after the other    detect,inpaint
  blend   the mean of several weights of one network   a:0.3+b:0.7
  part    one of the two networks of a detector        detect:fine
  source  a name in `pretrained_folder()` or `user_folder()`, the workdir of a
          training run, a file of weights, published ones too, or
          `deep_image_prior`, which needs no weights

A path that exists on disk is used as it is, even if it looks like a chain, a
blend or a part; the longest such path counts. Quote a path that does not exist
yet and contains a comma, colon or plus: "'runs/a,b':0.5+c:0.5". The letter of a
drive (C:\\...) is not taken for a name with a part.

Nothing heavy is imported here, since the web server uses it.
"""

from collections.abc import Iterable
import dataclasses
import os
import pathlib
import re

PRIOR = 'deep_image_prior'  # restores without weights
PARTS = ('fine', 'coarse')  # of a detector.CoarseToFine
# Of files of weights; those of artjax first, then those of other programs.
SUFFIXES = ('.safetensors', '.pth', '.pt', '.ckpt', '.npz')
_TOLERANCE = 1e-3  # of a sum of shares: thirds are written out to three digits
_ENDS = ',+:'  # where a name may end
_DRIVE = re.compile(r'[A-Za-z]:[\\/]')
_NUMBER = re.compile(r'-?(\d+\.?\d*|\.\d+)$')
_EXAMPLE = "a blend is 'a:0.3+b:0.7'"
_QUOTE = 'a path with a comma, colon or plus goes in quotes'


class BadWeights(ValueError):
  """A name of weights that cannot be read.

  Its first line says what is wrong; the next two show where, with a caret.
  """

  def __init__(self, text: str, position: int, problem: str):
    super().__init__(
      f'weights {text!r}: {problem}\n  {text}\n  {" " * position}^'
    )
    self.position = position  # of the part that is wrong, in the text


@dataclasses.dataclass(frozen=True)
class Source:
  """Weights of one file or run, or one part of them."""

  where: str  # name, workdir or file
  part: str = ''  # of `PARTS`, or '' for all of it

  def __str__(self):
    return f'{self.where}:{self.part}' if self.part else self.where


@dataclasses.dataclass(frozen=True)
class Weights:
  """Weights of one network: from one source, or the mean of several."""

  text: str  # as it was written
  sources: tuple[Source, ...]
  shares: tuple[float, ...] = (1.0,)  # of each in the mean; their sum is 1

  def __str__(self):
    return self.text

  @property
  def is_prior(self) -> bool:
    """Whether it is Deep Image Prior, which has no weights."""
    return self.sources == (Source(PRIOR),)


def chain(text: str | Iterable[str]) -> tuple[Weights, ...]:
  """Parses 'a,b', or a sequence of its parts.

  Raises:
    BadWeights: it does not follow the grammar above.
  """
  if not isinstance(text, str):
    return tuple(single(part) for part in text)
  parser = _Parser(text)
  found = [parser.weights()]
  while parser.takes(','):
    found.append(parser.weights())
  parser.finish()
  return tuple(found)


def single(text: str) -> Weights:
  """Parses the weights of one network: a source, a part or a blend.

  Raises:
    BadWeights: it does not follow the grammar, or is a chain of several.
  """
  parser = _Parser(text)
  found = parser.weights()
  parser.finish('one network is wanted here, not a chain of several')
  return found


def pretrained_folder() -> pathlib.Path:
  """The folder of the shipped weights.

  It is in the package, if that was installed with weights; else in the
  repository, where it need not exist.
  """
  package = pathlib.Path(__file__).parent.parent
  installed = package / 'pretrained'
  return installed if installed.is_dir() else package.parent / 'pretrained'


def user_folder() -> pathlib.Path:
  """The folder of a user's own weights, which need not exist.

  $ARTJAX_WEIGHTS, else artjax/weights where the system keeps a user's data.
  """
  given = os.environ.get('ARTJAX_WEIGHTS')
  if given:
    return pathlib.Path(given).expanduser()
  data = os.environ.get('XDG_DATA_HOME') or '~/.local/share'
  return pathlib.Path(data, 'artjax', 'weights').expanduser()


def files(folder: pathlib.Path) -> dict[str, pathlib.Path]:
  """{name: file} of the weights in a folder, sorted; {} if there is none.

  A name is that of a file without its suffix; where several files have it, that
  of the suffix that comes first in `SUFFIXES`.
  """
  found: dict[str, pathlib.Path] = {}
  for suffix in SUFFIXES:
    for path in folder.glob(f'*{suffix}'):
      found.setdefault(path.stem, path)
  return dict(sorted(found.items()))


def find(where: str) -> str:
  """Path of what a source names: a workdir or a file.

  Raises:
    FileNotFoundError: it does not exist; the message lists the known names.
  """
  if os.path.exists(where):
    return where
  shipped = files(pretrained_folder())
  own = files(user_folder())
  if where in shipped:
    return str(shipped[where])
  if os.sep not in where:
    named = user_folder() / where  # with its suffix
    if named.is_file():
      return str(named)
    if where in own:
      return str(own[where])
  if where.endswith(SUFFIXES):
    return where  # what reads it says that there is none
  raise FileNotFoundError(
    f"{where}: no such weights; give a training run's workdir, a file of "
    'weights, a blend such as a:0.3+b:0.7, or one of: '
    f'{", ".join([*shipped, *own]) or "(none here)"}'
  )


class _Parser:
  """Reads a text from left to right."""

  def __init__(self, text):
    self.text, self.at = text, 0

  def fail(self, problem, at=None):
    raise BadWeights(self.text, self.at if at is None else at, problem)

  def takes(self, mark):
    """Whether `mark` comes next; if so, skips it."""
    if not self.text.startswith(mark, self.at):
      return False
    self.at += len(mark)
    return True

  def finish(self, several=''):
    """Fails unless the whole text has been read."""
    if self.at == len(self.text):
      return
    if self.text[self.at] == '+':
      self.fail(f'what is blended needs a share: {_EXAMPLE}; {_QUOTE}')
    if several and self.text[self.at] == ',':
      self.fail(several)
    self.fail(f'a comma or the end was expected; {_QUOTE}')

  def weights(self):
    """One link of a chain."""
    start = self.at
    found = [self.member()]
    while found[-1][1] is not None and self.takes('+'):
      found.append(self.member())
      if found[-1][1] is None:
        self.fail(f'a share is missing: {_EXAMPLE}')
    sources, shares = zip(*found)
    text = self.text[start : self.at]
    if shares == (None,):
      plain = str(sources[0]) if text[0] in '\'"' else text
      return Weights(plain, sources)
    total = sum(shares)
    if abs(total - 1) > _TOLERANCE or not all(0 <= s <= 1 for s in shares):
      self.fail(
        f'shares must be in [0, 1] and sum to 1; these sum to {total:g}', start
      )
    return Weights(text, sources, tuple(share / total for share in shares))

  def member(self):
    """(source, share or None)."""
    where, part, share = self.name(), '', None
    while share is None and self.takes(':'):
      start, word = self.at, self.word()
      if word in PARTS and not part:
        part = word
      elif _NUMBER.match(word):
        share = float(word)
      else:
        self.fail(
          'after a colon stands a share, such as 0.3, or a part, '
          f'{" or ".join(PARTS)}; {_QUOTE}',
          start,
        )
    return Source(where, part), share

  def name(self):
    """A path or name; existing paths come first, the longest of them."""
    rest = self.text[self.at :]
    ends = [i for i, c in enumerate(rest) if c in _ENDS] + [len(rest)]
    there = [end for end in ends if end and os.path.exists(rest[:end])]
    if there:
      self.at += there[-1]
      return rest[: there[-1]]
    if rest[:1] in ('"', "'"):
      return self.quoted(rest)
    drive = _DRIVE.match(rest)
    end = next(i for i in ends if not drive or i > 1)
    if not end:
      self.fail('a name of weights is missing')
    self.at += end
    return rest[:end]

  def quoted(self, rest):
    """The text between the quotes that `rest` begins with."""
    end = rest.find(rest[0], 1)
    if end < 0:
      self.fail('the quote is not closed')
    if end == 1:
      self.fail('no name in the quotes')
    self.at += end + 1
    return rest[1:end]

  def word(self):
    start = self.at
    while self.at < len(self.text) and self.text[self.at] not in _ENDS:
      self.at += 1
    return self.text[start : self.at]
