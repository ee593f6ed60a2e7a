"""A model card: what weights are, and the licences of their pictures."""

import json
from typing import Any


def text(name: str, entry: dict[str, Any]) -> str:
  """The card of a weights file, as Markdown.

  Args:
    name: of the file.
    entry: of the manifest (`manifest.entry`).
  """
  model = entry['model']
  lines = [
    f'# {name}',
    '',
    f'- **Task**: {entry["task"]}',
    f'- **Model**: `{model["name"]}` `{json.dumps(model["args"])}`',
    f'- **Training**: {entry.get("step", 0)} steps'
    + _training(entry.get('data'), entry.get('losses')),
  ]
  if entry.get('training_set'):
    lines.append(f'- **Training set**: {entry["training_set"]}')
  lines += [
    f'- **File**: {entry["bytes"]} bytes, sha256 `{entry["sha256"]}`',
    '',
    *_pictures(entry.get('pictures')),
    *_figures(entry.get('figures')),
  ]
  return '\n'.join(lines).rstrip() + '\n'


def _training(data, losses):
  parts = []
  if data:
    parts.append(f'batches of {data["batch_size"]}, `{data["ops"]}`')
  if losses:
    parts.append(', '.join(f'{name} {x:g}' for name, x in losses.items()))
  return ''.join(f'; {part}' for part in parts)


def _pictures(pictures):
  """The licences, and whom they ask to name."""
  if not pictures:
    return ['## Pictures', '', 'Nothing is recorded of their licences.', '']
  lines = [
    '## Pictures',
    '',
    f'Learned from `{pictures["source"]}`.',
    '',
    '| licence | pictures |',
    '|---|---|',
    *(
      f'| {licence or "not stated"} | {number} |'
      for licence, number in pictures['licences'].items()
    ),
    '',
  ]
  if pictures['credits']:
    lines += ['Credits: ' + '; '.join(pictures['credits']) + '.', '']
  return lines


def _figures(figures):
  if not figures:
    return []
  return [
    '## Figures',
    '',
    '```',
    *(json.dumps(line) for line in figures),
    '```',
  ]
