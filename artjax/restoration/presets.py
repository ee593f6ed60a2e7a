"""Presets: named sets of options for kinds of pictures.

  artjax restore --preset=print prints/ --output=restored/

The command line and the web page offer them. Options that are given explicitly
override the preset. A new entry of `PRESETS` is a new preset of both.
"""

from typing import Any, NamedTuple

from artjax.restoration import default_chain
from artjax.restoration import options as options_lib


class Preset(NamedTuple):
  """A chain, and the options it is run with.

  Attributes:
    name: on the command line and in the API.
    title: on the page.
    about: what it does, and why, one line.
    weights: of the chain, in the syntax of --weights.
    options: {field of `options.Options`: value} that differ from the defaults.
  """

  name: str
  title: str
  about: str
  weights: str
  options: dict[str, Any] = {}


# The first is the default.
PRESETS = (
  Preset(
    'painting',
    'Painting',
    'damage filled, stains lightened, restored, tones corrected',
    default_chain.WEIGHTS,
  ),
  Preset(
    'old_photograph',
    'Old photograph',
    'as a painting, but a third of the grain stays: it carries faces',
    default_chain.WEIGHTS,
    {'structure': 0.65},
  ),
  Preset(
    'print',
    'Print or map',
    'nothing is filled, for lines and letters look like cracks',
    'structure,tone',
    {'structure': 0.65},
  ),
  Preset(
    'scan',
    'Clean up a scan',
    'noise, blur and artefacts of JPEG; nothing is filled, tones stay',
    'structure',
  ),
  Preset('enlarge', 'Enlarge only', 'four times the size', 'esrgan'),
)
NAMES = tuple(preset.name for preset in PRESETS)


def get(name: str) -> Preset:
  """The preset of a name, of `NAMES`; KeyError for another."""
  return {preset.name: preset for preset in PRESETS}[name]


def query(preset: Preset) -> dict[str, Any]:
  """{name in an HTTP query: value} of a preset's options."""
  return {
    name: preset.options[field]
    for name, field in options_lib.query_names().items()
    if field in preset.options
  }
