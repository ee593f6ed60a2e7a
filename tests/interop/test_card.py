"""Model cards list the licences of the pictures."""

from artjax.interop import card

ENTRY = {
  'task': 'restore',
  'model': {'name': 'unet.UNet', 'args': {'features': [8]}},
  'step': 40,
  'bytes': 1000,
  'sha256': 'ab' * 32,
}


def test_a_card_with_all_there_is():
  text = card.text(
    'x.safetensors',
    {
      **ENTRY,
      'data': {'batch_size': 8, 'ops': 'random_crop(32)'},
      'losses': {'charbonnier': 1.0, 'ssim': 0.1},
      'training_set': 'paintings',
      'pictures': {
        'source': 'folder:met',
        'licences': {'https://x/zero/': 812, '': 3},
        'credits': ['A Library', 'Gift of B'],
      },
      'figures': [{'psnr_rgb': 30.5}],
    },
  )
  assert text.splitlines() == [
    '# x.safetensors',
    '',
    '- **Task**: restore',
    '- **Model**: `unet.UNet` `{"features": [8]}`',
    '- **Training**: 40 steps; batches of 8, `random_crop(32)`; charbonnier 1, '
    'ssim 0.1',
    '- **Training set**: paintings',
    f'- **File**: 1000 bytes, sha256 `{"ab" * 32}`',
    '',
    '## Pictures',
    '',
    'Learned from `folder:met`.',
    '',
    '| licence | pictures |',
    '|---|---|',
    '| https://x/zero/ | 812 |',
    '| not stated | 3 |',
    '',
    'Credits: A Library; Gift of B.',
    '',
    '## Figures',
    '',
    '```',
    '{"psnr_rgb": 30.5}',
    '```',
  ]


def test_a_card_does_not_hide_what_is_not_known():
  text = card.text('x.safetensors', ENTRY)
  assert text.endswith('Nothing is recorded of their licences.\n')
