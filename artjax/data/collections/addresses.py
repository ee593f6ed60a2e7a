"""Which addresses may be connected to: those of the public internet."""

from collections.abc import Callable
import ipaddress
import socket

from artjax.data.collections.base import FetchError

_NAT64 = ipaddress.ip_network('64:ff9b::/96')


def look_up(host: str, port: int) -> list[str]:
  """The numeric addresses that the system's resolver gives for a host.

  Raises:
    OSError, UnicodeError: it gives none.
  """
  found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
  return [str(entry[4][0]) for entry in found]


def resolve(
  host: str, port: int, look_up: Callable[[str, int], list[str]] = look_up
) -> list[str]:
  """The addresses of a host, all of them public.

  Args:
    host: a name or an address.
    port: of the service.
    look_up: the resolver.

  Returns:
    Numeric addresses, in the order in which they are to be tried.

  Raises:
    FetchError: there is no such host, or one of its addresses is not public.
  """
  try:
    found = look_up(host, port)
  except (OSError, UnicodeError) as error:
    raise FetchError(f'no host {host}: {error}') from error
  for address in found:
    if not is_public(address):
      raise FetchError(
        f'{host} is at {address}, which is no address of the public internet'
      )
  return list(dict.fromkeys(found))


def is_public(address: str) -> bool:
  """Whether a numeric address belongs to the public internet.

  An IPv4 address that an IPv6 one leads to (NAT64, 6to4) has to be public too.
  """
  ip = ipaddress.ip_address(address.partition('%')[0])
  if isinstance(ip, ipaddress.IPv6Address):
    inner = ip.sixtofour
    if ip in _NAT64:
      inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if inner is not None and not is_public(str(inner)):
      return False
  return ip.is_global and not ip.is_multicast
