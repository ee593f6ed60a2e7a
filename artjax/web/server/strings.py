"""The words of the page: a table for each language, `artjax/web/strings/`.

A table is {key: text, or {plural category: text}}; '{name}' in a text stands
for a value. What is declared elsewhere (abilities, presets, options, messages)
has its English there; other languages have it in their tables.

Reasons of decoders and networks, and notices of a record, stay English: they
are part of files that programs and other people read.
"""

import json
import pathlib
from typing import Any

from artjax.restoration import options
from artjax.restoration import presets
from artjax.web.server import abilities
from artjax.web.server import messages

FOLDER = pathlib.Path(__file__).parent.parent / 'strings'
LANGUAGES = ('en', 'de', 'fr', 'es', 'it', 'ja', 'hi')


def table(language: str) -> dict[str, Any]:
  """The table of one of `LANGUAGES`."""
  text = (FOLDER / f'{language}.json').read_text(encoding='utf-8')
  found: dict[str, Any] = json.loads(text)
  return found | declared() if language == 'en' else found


def declared() -> dict[str, str]:
  """English texts of what is declared in Python."""
  found = {f'message.{key}': text for key, text in messages.TEXTS.items()}
  for ability in abilities.ABILITIES:
    for part in ('title', 'about', 'more'):
      found[f'ability.{ability.name}.{part}'] = getattr(ability, part)
  for preset in presets.PRESETS:
    found[f'preset.{preset.name}.title'] = preset.title
    found[f'preset.{preset.name}.about'] = _sentence(preset.about)
  for option in options.describe():
    if not option['several']:  # Those are in the legend of the mask.
      found[f'option.{option["name"]}.label'] = option['label']
      found[f'option.{option["name"]}.help'] = _sentence(option['help'])
  return found


def _sentence(text):
  return f'{text[0].upper()}{text[1:]}.'
