"""Published weights that can be fetched by name: address, licence, sha256.

The addresses are those at which authors release their files; fillers, whose
authors use shared drives, come from the program IOPaint. Sizes and sha256 are
those that OpenModelDB (https://openmodeldb.info) publishes of these files;
where it has none, they are empty here.
"""

import dataclasses
import difflib
import posixpath
from urllib import parse

_KAIR = 'https://github.com/cszn/KAIR/releases/download/v1.0/'
_FBCNN = 'https://github.com/jiaxi-jiang/FBCNN/releases/download/v1.0/'
_REAL_ESRGAN = 'https://github.com/xinntao/Real-ESRGAN/releases/download/'
_STARINSPACE = (
  'https://github.com/starinspace/StarinspaceUpscale/releases/download/Models/'
)
_SWINIR = 'https://github.com/JingyunLiang/SwinIR/releases/download/v0.0/'
_PHHOFM = 'https://github.com/Phhofm/models/releases/download/'
_IOPAINT = 'https://github.com/Sanster/models/releases/download/'
_LIVE_ACTION = (
  'https://raw.githubusercontent.com/jcj83429/upscaling/'
  'f73a3a02874360ec6ced18f8bdd8e43b5d7bba57/2xLiveActionV1_SPAN/'
)


@dataclasses.dataclass(frozen=True)
class Release:
  """One published file.

  Attributes:
    url: of the file.
    network: title of its family, see `families`.
    use: what the weights are for.
    licence: of the weights, as SPDX names it.
    sha256: in hexadecimal digits; '' = not published.
    size: of the file, bytes; 0 = not published.
  """

  url: str
  network: str
  use: str
  licence: str
  sha256: str = ''
  size: int = 0

  @property
  def file(self) -> str:
    """Name of the file, with its suffix."""
    return posixpath.basename(parse.urlsplit(self.url).path)

  @property
  def name(self) -> str:
    """Name of the weights: that of the file without its suffix."""
    return posixpath.splitext(self.file)[0]

  @property
  def non_commercial(self) -> bool:
    """Whether the licence forbids commercial use."""
    return 'NC' in self.licence.split('-')


def _denoisers():
  for kind in ('color', 'gray'):
    colour = 'colour' if kind == 'color' else 'grey'
    for level in (15, 25, 50):
      yield Release(
        f'{_KAIR}scunet_{kind}_{level}.pth',
        'SCUNet',
        f'noise of {level}, {colour}',
        'Apache-2.0',
      )
    told = f'noise of a given level, {colour}'
    yield Release(f'{_KAIR}drunet_{kind}.pth', 'DRUNet', told, 'MIT')
    yield Release(f'{_KAIR}ffdnet_{kind}.pth', 'FFDNet', told, 'MIT')
    blind = f'noise, {colour}'
    yield Release(f'{_KAIR}dncnn_{kind}_blind.pth', 'DnCNN', blind, 'MIT')
    jpeg = f'JPEG artefacts, {colour}'
    yield Release(f'{_FBCNN}fbcnn_{kind}.pth', 'FBCNN', jpeg, 'Apache-2.0')
  for goal in ('gan', 'psnr'):
    yield Release(
      f'{_KAIR}scunet_color_real_{goal}.pth',
      'SCUNet',
      'noise of real photographs',
      'Apache-2.0',
    )


def _fillers():
  for name, network, use, licence in (
    ('add_big_lama/big-lama', 'LaMa', 'holes, photographs', 'Apache-2.0'),
    ('migan/migan_traced', 'MI-GAN', 'holes, photographs, fast', 'MIT'),
  ):
    yield Release(f'{_IOPAINT}{name}.pt', network, use, licence)


def _swinir():
  """SwinIR's own files, whose names say what they are for."""
  classical = '001_classicalSR_DF2K_s64w8_SwinIR-M'
  light = '002_lightweightSR_DIV2K_s64w8_SwinIR-S'
  medium = '003_realSR_BSRGAN_DFO_s64w8_SwinIR-M'
  large = '003_realSR_BSRGAN_DFOWMFC_s64w8_SwinIR-L'
  files = {f'{classical}_x{n}': f'x{n}, clean' for n in (2, 3, 4, 8)}
  files |= {f'{light}_x{n}': f'x{n}, clean, fast' for n in (2, 3, 4)}
  for goal in ('GAN', 'PSNR'):
    for net, scale in ((medium, 2), (medium, 4), (large, 4)):
      files[f'{net}_x{scale}_{goal}'] = f'x{scale}, photographs'
  for number, kind, colour in (
    ('004', 'gray', 'grey'),
    ('005', 'color', 'colour'),
  ):
    for level in (15, 25, 50):
      name = f'{number}_{kind}DN_DFWB_s128w8_SwinIR-M_noise{level}'
      files[name] = f'noise of {level}, {colour}'
  for kind, colour in (('', 'grey'), ('color', 'colour')):
    for quality in (10, 20, 30, 40):
      name = f'006_{kind}CAR_DFWB_s126w7_SwinIR-M_jpeg{quality}'
      files[name] = f'JPEG artefacts of quality {quality}, {colour}'
  for name, use in files.items():
    yield Release(f'{_SWINIR}{name}.pth', 'SwinIR', use, 'Apache-2.0')


_ALL = (
  Release(
    f'{_REAL_ESRGAN}v0.1.0/RealESRGAN_x4plus.pth',
    'ESRGAN',
    'x4, photographs',
    'BSD-3-Clause',
    '4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1',
    67040989,
  ),
  Release(
    f'{_REAL_ESRGAN}v0.2.1/RealESRGAN_x2plus.pth',
    'ESRGAN',
    'x2, photographs',
    'BSD-3-Clause',
    '49fafd45f8fd7aa8d31ab2a22d14d91b536c34494a5cfe31eb5d89c2fa266abb',
    67061725,
  ),
  Release(
    f'{_REAL_ESRGAN}v0.2.2.4/RealESRGAN_x4plus_anime_6B.pth',
    'ESRGAN',
    'x4, illustrations',
    'BSD-3-Clause',
    'f872d837d3c90ed2e05227bed711af5671a6fd1c9f7d7e91c911a61f155e99da',
    17938799,
  ),
  Release(
    f'{_KAIR}BSRGAN.pth',
    'ESRGAN',
    'x4, photographs',
    'Apache-2.0',
    '5d505a0766160921e0388d76e1ddf08cb114303990f9080432bf2b1c988b1c54',
    67046751,
  ),
  Release(
    f'{_REAL_ESRGAN}v0.2.5.0/realesr-general-x4v3.pth',
    'Compact',
    'x4, photographs',
    'BSD-3-Clause',
  ),
  Release(
    f'{_STARINSPACE}1xBook-Compact.safetensors',
    'Compact',
    'scans of books',
    'CC-BY-SA-4.0',
    'fbccfd710b4a2abf9e20b58b2714a2292d4f26571ed481af20d0c519fde10885',
    2386212,
  ),
  Release(
    f'{_STARINSPACE}4xPurePhoto-span.pth',
    'SPAN',
    'x4, photographs',
    'CC-BY-SA-4.0',
    'c689eec59771ed3eaffc10eea933c44fdb9131f83251c51c5bab4cae7c4d3bf2',
    9016490,
  ),
  Release(
    f'{_LIVE_ACTION}2xLiveActionV1_SPAN_490000.pth',
    'SPAN',
    'x2, stills of films',
    'CC-BY-NC-SA-4.0',
    '8b166c75831ea7f694d9058ee9c8df8148af8cc1d2b57e69e6581b15cab572f7',
    8947821,
  ),
  Release(
    f'{_PHHOFM}4xNomosWebPhoto_RealPLKSR/4xNomosWebPhoto_RealPLKSR.pth',
    'RealPLKSR',
    'x4, photographs from the web',
    'CC-BY-4.0',
    'a9db66c9b674c6a5025b6ef3bee71a57c33b8605d8a2de0980470f89002efbbe',
    29683482,
  ),
  Release(
    f'{_PHHOFM}4xNomos2_realplksr_dysample/4xNomos2_realplksr_dysample.pth',
    'RealPLKSR',
    'x4, photographs',
    'CC-BY-4.0',
    '96c8476ed2c42107628d10562b32ae89e7be3c2f7a53d29504823e9bafe8121d',
    29715988,
  ),
  Release(
    f'{_STARINSPACE}4xPurePhoto-RealPLSKR.pth',
    'RealPLKSR',
    'x4, photographs',
    'CC-BY-SA-4.0',
    '5913af168a6a1d38d216c91eb60f475d27eeebbd57ff8ed8943fdc7a84d1b250',
    29663426,
  ),
  Release(
    f'{_PHHOFM}1xDeJPG_realplksr_otf/1xDeJPG_realplksr_otf.safetensors',
    'RealPLKSR',
    'JPEG artefacts, photographs',
    'CC-BY-4.0',
    'bfc0b9a1163bf20eb18479e1f4faa0ece1b4d5ce59759be8b843d6ef32d1890f',
    29486580,
  ),
  Release(
    f'{_PHHOFM}1xDeNoise_realplksr_otf/1xDeNoise_realplksr_otf.safetensors',
    'RealPLKSR',
    'noise, photographs',
    'CC-BY-4.0',
    '0a3e22bdcb70dd790fce66f45df8d07e774e269b17c92a2835162b150d4a365c',
    29486580,
  ),
  Release(
    'https://github.com/Phhofm/models/raw/main/4xNomos8kSCHAT-S/'
    '4xNomos8kSCHAT-S.pth',
    'HAT',
    'x4, photographs',
    'CC-BY-4.0',
    'e1400e16a10bf4dbbe003651bf76f9f9c4e083f0e5c93e1c3effe2fa91b41168',
    81096929,
  ),
  Release(
    f'{_PHHOFM}4xNomos2_hq_dat2/4xNomos2_hq_dat2.pth',
    'DAT',
    'x4, clean photographs',
    'CC-BY-4.0',
    '1f2be2b4786b5031776aed90e1818564f5576ab1e44da9355c7f3788ea25bdea',
    140196334,
  ),
  Release(
    f'{_PHHOFM}4xRealWebPhoto_v4_dat2/4xRealWebPhoto_v4_dat2.safetensors',
    'DAT',
    'x4, photographs from the web',
    'CC-BY-4.0',
    '819047acf43073f63ea7289ed94d6991ba8446a3bdf38e274fadfcbaa2b7381d',
    139792588,
  ),
  Release(
    'https://huggingface.co/Kim2091/UltraSharpV2/resolve/main/'
    '4x-UltraSharpV2.safetensors',
    'DAT',
    'x4, photographs and illustrations',
    'CC-BY-NC-SA-4.0',
    '2b5db674aa8f3864a696dccd1d07d7cc0500fbf220f35044cd30eee9a7f971a7',
    139792588,
  ),
  *_swinir(),
  *_denoisers(),
  *_fillers(),
)
RELEASES = {release.name: release for release in _ALL}


def find(name: str) -> Release:
  """The release of that name.

  Raises:
    ValueError: there is none; the message has names that come close.
  """
  if name in RELEASES:
    return RELEASES[name]
  close = difflib.get_close_matches(name, RELEASES, 3)
  hint = f'did you mean {" or ".join(close)}?' if close else 'without a name'
  hint += '' if close else ' the command lists them'
  raise ValueError(f'no published weights {name!r}; {hint}')
