"""Addresses of pictures on an IIIF image server, of the versions 2 and 3.

https://iiif.io/api/image/3.0/ and https://iiif.io/api/image/2.1/
"""

from typing import Any, NamedTuple


class File(NamedTuple):
  """A picture file that a server makes."""

  url: str
  asked: str  # the part of the address that says the size
  stated: tuple[int, int] | None  # (width, height) of the original, px


def file(web, body: dict[str, Any], longest: int) -> File:
  """Where to fetch the picture of a resource of a manifest.

  Args:
    web: fetches what the server says of the picture.
    body: the resource, with or without an image service.
    longest: the longer side, px; 0 = as large as the server allows.
  """
  found = _service(body)
  if not found:
    width, height = body.get('width'), body.get('height')
    stated = (int(width), int(height)) if width and height else None
    return File(body.get('id') or body['@id'], 'full', stated)
  base, version = found
  info = web.json(
    f'{base}/info.json', accept='application/ld+json;q=0.9, application/json'
  )
  asked = size(info, version, longest)
  return File(
    f'{base}/full/{asked}/0/default.jpg', asked, (info['width'], info['height'])
  )


def size(info: dict[str, Any], version: int, longest: int) -> str:
  """The size to ask for, so that nothing is enlarged.

  Args:
    info: the answer to info.json.
    version: of the image service, 2 or 3.
    longest: the longer side, px; 0 = as large as the server allows.

  Returns:
    'max' or 'full', 'W,H' (version 3) or 'W,' (version 2).
  """
  width, height = info['width'], info['height']
  profile = info.get('profile', [])
  profile = profile if isinstance(profile, list) else [profile]
  limits = [info, *(part for part in profile if isinstance(part, dict))]
  limited = any(k in part for part in limits for k in ('maxWidth', 'maxArea'))
  whole = 'max' if version == 3 or limited else 'full'
  if not 0 < longest < max(width, height):
    return whole
  if 'level0' in str(profile[:1]):  # makes no sizes but those it lists
    listed = [(s['width'], s['height']) for s in info.get('sizes', ())]
    enough = sorted(s for s in listed if max(s) >= longest)
    if not enough:
      return whole
    width, height = enough[0]
  else:
    scale = min([longest / max(width, height), *_scales(limits, width, height)])
    if scale < longest / max(width, height):  # more than the server gives
      return whole
    width, height = (max(1, round(s * scale)) for s in (width, height))
  return f'{width},{height}' if version == 3 else f'{width},'


def _scales(limits, width, height):
  """By how much a server shrinks the picture at least."""
  for part in limits:
    if 'maxWidth' in part:
      yield part['maxWidth'] / width
      yield part.get('maxHeight', part['maxWidth']) / height
    if 'maxArea' in part:
      yield (part['maxArea'] / (width * height)) ** 0.5


def _service(body):
  """(address, version) of the image service of a resource, or None."""
  services = body.get('service') or []
  for service in services if isinstance(services, list) else [services]:
    kind = ' '.join(
      str(service.get(k, '')) for k in ('type', '@type', '@context', 'profile')
    )
    address = service.get('id') or service.get('@id')
    if 'ImageService3' in kind or '/image/3' in kind:
      return address.rstrip('/'), 3
    if 'ImageService2' in kind or '/image/2' in kind:
      return address.rstrip('/'), 2
  return None
