"""Options of restoration, declared once for flags, queries, records and forms.

`Options` is a frozen dataclass. Each field carries an `Option`: its range, unit
and help, the stages of a chain that use it, and its name on the web. From these
are made

  add_arguments(parser)      an argparse flag for each field
  from_arguments(args)       argparse.Namespace  -> Options
  from_query(query)          {name: text} of an HTTP query -> Options
  Options.as_json()          Options -> the `options` of a record
  describe()                 the form of the web page, one dict per field

An `Options` object is always valid: a value out of range raises ValueError,
with one line that begins with the name of the field. Nothing heavy is imported
here, so that `--help` and the web server can use it.
"""

import argparse
from collections.abc import Iterable, Mapping
import dataclasses
from typing import Any

from artjax import damage_classes
from artjax.inference.engines import names as engine_names
from artjax.restoration import option_texts

# The kinds of stages, see chain.py. A stage of 'network' changes the whole
# picture, 'colorize' its colours, 'fill' its holes, 'tone' the tones of all of
# it alike; 'detect' finds damage.
STAGES = ('network', 'colorize', 'fill', 'detect', 'tone')
_CHANGES = ('network', 'colorize', 'fill', 'tone')
_MASKS = ('fill', 'detect')


@dataclasses.dataclass(frozen=True)
class Option:
  """The declaration of an option besides its name, type and default.

  Attributes:
    help: one line.
    least: smallest value; None = any.
    most: largest value; None = any.
    exclusive: whether `least` and `most` themselves are out of range.
    unit: 'px', or '' for a number without one.
    metavar: of the flag.
    stages: kinds of stages that use it, of `STAGES`; () = always used.
    query: its name in an HTTP query and in the page's form; '' = not there.
    label: on the page.
    record: its place in a record, 'group.key', if that is not its name.
    choices: the possible names; a tuple has several of them.
  """

  help: str
  least: float | None = None
  most: float | None = None
  exclusive: bool = False
  unit: str = ''
  metavar: str | None = None
  stages: tuple[str, ...] = ()
  query: str = ''
  label: str = ''
  record: str = ''
  choices: tuple[str, ...] = ()

  def check(self, name: str, value: Any) -> None:
    """Raises ValueError, one line, unless a value is possible."""
    if self.choices and isinstance(value, str) and value not in self.choices:
      known = ', '.join(self.choices)
      raise ValueError(f'{name}={value} is not one of {known}')
    low, high = self.least, self.most
    if low is None or isinstance(value, (bool, tuple)):
      return
    if high is None:
      if not value >= low:
        raise ValueError(f'{name}={value} is less than {low}')
    elif self.exclusive:
      if not low < value < high:
        raise ValueError(f'{name}={value} is not between {low} and {high}')
    elif not low <= value <= high:
      raise ValueError(f'{name}={value} is not in [{low}, {high}]')


def _option(default: Any, help: str, **fields: Any) -> Any:
  return dataclasses.field(
    default=default, metadata={'option': Option(help, **fields)}
  )


@dataclasses.dataclass(frozen=True)
class Options:
  """How a picture is restored; part of its record.

  Raises:
    ValueError: a value out of range.
  """

  strength: float = _option(
    1.0,
    'share of the change to apply, 0 to 1',
    least=0,
    most=1,
    stages=_CHANGES,
    query='strength',
    label='Strength',
  )
  structure: float = _option(
    1.0,
    'share of the removal of noise, scratches and stains to apply, 0 to 1',
    least=0,
    most=1,
    stages=('network',),
    query='structure',
    label='Structure',
  )
  tone: float = _option(
    1.0,
    'share of the correction of fading, varnish and casts to apply, 0 to 1',
    least=0,
    most=1,
    stages=('tone',),
    query='tone',
    label='Tone',
  )
  noise: float = _option(
    15.0,
    'standard deviation of the noise to remove, in levels of 255, for weights '
    'that take it (DRUNet, FFDNet); default %(default)g',
    least=0,
    most=100,
    metavar='SIGMA',
    stages=('network',),
  )
  jpeg_quality: float = _option(
    0.0,
    'quality, 1 to 100, with which a JPEG was saved, for weights that take it '
    '(FBCNN); default 0: they estimate it',
    least=0,
    most=100,
    metavar='Q',
    stages=('network',),
  )
  self_ensemble: bool = _option(
    False,
    'average the results for 8 flips and rotations; 8 times the work',
    stages=('network', 'fill', 'detect'),
    query='self_ensemble',
    label='Self-ensemble',
  )
  tile: int = _option(
    0,
    'side of a tile; default: the fastest',
    least=0,
    unit='px',
    metavar='PX',
    stages=('network', 'fill', 'detect'),
  )
  engine: str = _option(
    engine_names.JAX,
    'runs the networks: jax, or on a CPU openvino or onnx (extras of these '
    'names); auto: the fastest, measured once; default %(default)s',
    stages=('network', 'fill', 'detect'),
    query='engine',
    label='Engine',
    choices=engine_names.CHOICES,
  )
  least_change: float = _option(
    0.0,
    'copy a picture unchanged if its mean change would be smaller (CIEDE2000) '
    'and nothing in it is filled; default 0',
    least=0,
    metavar='DELTA_E',
    stages=_CHANGES,
  )
  strip_metadata: bool = _option(
    False, 'write no metadata except the colour profile'
  )
  max_pixels: int = _option(
    400_000_000,
    'refuse larger pictures; default %(default)s',
    least=1,
    unit='px',
    metavar='PX',
  )
  mask_threshold: float = _option(
    0.5,
    'damage probability, or grey level of a mask from 0 to 1, above which a '
    'pixel is filled; default %(default)s',
    least=0,
    most=1,
    exclusive=True,
    stages=_MASKS,
    query='threshold',
    label='Threshold of the probability',
    record='mask.threshold',
  )
  mask_min_area: int = _option(
    12,
    'ignore damage of a smaller area; default %(default)s',
    least=0,
    unit='px',
    metavar='PX',
    stages=('detect',),
    record='mask.min_area',
  )
  mask_dilate: int = _option(
    2,
    'grow the damage that is found by so much; default %(default)s',
    least=0,
    unit='px',
    metavar='PX',
    stages=('detect',),
    record='mask.dilate',
  )
  mask_feather: int = _option(
    0,
    'width inside the mask over which the fill fades in; default %(default)s',
    least=0,
    unit='px',
    metavar='PX',
    stages=('fill',),
    record='mask.feather',
  )
  kinds: tuple[str, ...] = _option(
    ('thin', 'opaque'),
    'damage to fill: thin (cracks, scratches), opaque (losses), translucent '
    '(stains, through which paint still shows); default thin,opaque',
    metavar='KIND,...',
    stages=_MASKS,
    query='kinds',
    label='Fill',
    choices=tuple(damage_classes.KINDS),
    record='mask.kinds',
  )
  region: tuple[int, ...] = _option(
    (),
    'find and fill damage only in this rectangle',
    unit='px',
    metavar='X,Y,W,H',
    stages=_MASKS,
    record='mask.region',
  )
  confidence_map: bool = _option(
    False,
    'expected error of each pixel, STEM.confidence.png; a grey level is 1/255',
    stages=('network',),
  )
  saturation: float = _option(
    1.0,
    'scale the chroma of added colours: 0 grey, 1 unchanged, 2 doubled',
    least=0,
    most=2,
    stages=('colorize',),
    query='saturation',
    label='Saturation',
  )

  def __post_init__(self):
    for field in dataclasses.fields(self):
      of(field).check(field.name, getattr(self, field.name))
    for kind in self.kinds:
      if kind not in damage_classes.KINDS:
        known = ', '.join(damage_classes.KINDS)
        raise ValueError(f'kinds={kind} is not one of {known}')
    if len(self.region) not in (0, 4):
      raise ValueError(f'region={self.region} is not x, y, width, height')

  def as_json(self) -> dict[str, Any]:
    """The options as JSON: {name: value}, those of masks under 'mask'."""
    record: dict[str, Any] = {}
    for field in dataclasses.fields(self):
      value = getattr(self, field.name)
      group, _, key = (of(field).record or field.name).rpartition('.')
      place = record.setdefault(group, {}) if group else record
      place[key] = list(value) if isinstance(value, tuple) else value
    return record

  @property
  def whole(self) -> bool:
    """Whether the changes of networks are applied in full."""
    return min(self.strength, self.structure) == 1

  def changed(self) -> list[str]:
    """Names of the fields that are not at their defaults."""
    return [
      field.name
      for field in dataclasses.fields(self)
      if getattr(self, field.name) != field.default
    ]


def of(field: dataclasses.Field) -> Option:
  """The `Option` of a field of `Options`."""
  return field.metadata['option']


def stages_of(name: str) -> tuple[str, ...]:
  """Kinds of stages that use the field `name`; () = always used."""
  return of(_FIELDS[name]).stages


def add_arguments(
  parser: argparse._ActionsContainer, names: Iterable[str] = ()
) -> None:
  """Adds a flag for each field, or for the fields `names`, in that order."""
  for field in [_FIELDS[name] for name in names] or _FIELDS.values():
    option, flag = of(field), f'--{field.name}'
    if field.type is bool:
      parser.add_argument(flag, action='store_true', help=option.help)
    else:
      parser.add_argument(
        flag,
        type=_TEXTS.get(field.name, field.type),
        default=field.default,
        metavar=option.metavar,
        choices=option.choices if field.type is str else None,
        help=option.help,
      )


def from_arguments(args: argparse.Namespace) -> Options:
  """Options from a command line parsed with `add_arguments`.

  Raises:
    ValueError: a value out of range; one line, with the flag.
  """
  try:
    return Options(**{name: getattr(args, name) for name in _FIELDS})
  except ValueError as error:
    raise ValueError(f'--{error}') from error


def from_query(query: Mapping[str, str]) -> Options:
  """Options from an HTTP query; other parameters in it are ignored.

  Args:
    query: {name: text}, with the names of `query_names`; missing ones have
      their defaults.

  Raises:
    ValueError: no such value, or one out of range; one line that begins with
      the name in the query.
  """
  values = {}
  for field in _FIELDS.values():
    option = of(field)
    if option.query and option.query in query:
      values[field.name] = _parsed(field, query[option.query])
      option.check(option.query, values[field.name])
  return Options(**values)


def query_names() -> dict[str, str]:
  """{name in an HTTP query: name of the field}."""
  return {of(f).query: name for name, f in _FIELDS.items() if of(f).query}


def describe() -> list[dict[str, Any]]:
  """The form of the web page, as JSON: the options of a query, in order."""
  return [
    {
      'name': of(field).query,
      'field': name,
      'type': type(_plain(field.default)).__name__,
      'default': _plain(field.default),
      'choices': list(  # that there are on this machine
        engine_names.offered() if name == 'engine' else of(field).choices
      ),
      'several': isinstance(field.default, tuple),
      'least': of(field).least,
      'most': of(field).most,
      'exclusive': of(field).exclusive,
      'unit': of(field).unit,
      'label': of(field).label,
      'help': of(field).help.partition('; default')[0],
      'stages': list(of(field).stages),
    }
    for name, field in _FIELDS.items()
    if of(field).query
  ]


def _plain(value: Any) -> Any:
  """Names in the syntax of a query: ('thin', 'opaque') -> 'thin,opaque'."""
  return ','.join(value) if isinstance(value, tuple) else value


def _parsed(field: dataclasses.Field, text: str) -> Any:
  name = of(field).query
  if field.name in _TEXTS:
    try:
      return _TEXTS[field.name](text)
    except argparse.ArgumentTypeError as error:
      raise ValueError(f'{name}={text!r}: {error}') from error
  return option_texts.value(name, field.type, text)


# What reads the text of a field that is no number.
_TEXTS = {'region': option_texts.region, 'kinds': option_texts.kinds}
_FIELDS = {field.name: field for field in dataclasses.fields(Options)}
