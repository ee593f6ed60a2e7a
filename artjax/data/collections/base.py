"""What a provider of pictures is, and what it says of a picture."""

from collections.abc import Callable, Iterable, Iterator
import dataclasses
from typing import Any, NamedTuple, TYPE_CHECKING

if TYPE_CHECKING:
  from artjax.data.collections.web import Web


class FetchError(ValueError):
  """Something that cannot be fetched; the message is the reason."""


class Query(NamedTuple):
  """What the user asks a provider for."""

  text: str
  filters: dict[str, str] = {}  # further parameters of the provider's search
  size: int = 0  # longer side, px; 0 = the largest there is


class Item(NamedTuple):
  """An entry of a provider's list: an object with any number of pictures."""

  id: str
  record: Any = None  # where the list gives the whole record
  total: int | None = None  # entries of the list, where that is known


@dataclasses.dataclass(frozen=True)
class Picture:
  """A picture, as the record of its object describes it.

  Attributes:
    id: within the provider; it also names the file.
    url: of the picture file.
    licence: URL or text, exactly of this picture; '' where the record is
      unclear.
    title, maker, date, page, credit: '' where unknown; `page` is a URL.
    asked: the size that `url` asks for, such as 'full' or '843,'.
    stated: (width, height) that the record gives for the original, px.
  """

  id: str
  url: str
  licence: str
  title: str = ''
  maker: str = ''
  date: str = ''
  page: str = ''
  credit: str = ''
  asked: str = 'full'
  stated: tuple[int, int] | None = None


class Key(NamedTuple):
  """An API key that a provider wants as a parameter."""

  host: str  # the only one that gets it
  parameter: str
  variable: str  # of the environment
  page: str  # where one gets a key


@dataclasses.dataclass(frozen=True)
class Provider:
  """How to reach the pictures of a collection.

  Attributes:
    name: on the command line and at the start of file names.
    query: what QUERY is, for messages.
    items: goes through the list of what matches.
    pictures: those of an item, from its record.
    pause: s between two requests to a host.
    key: an API key, if it needs one.
    robots: whether robots.txt decides what may be fetched: true for addresses
      that no interface names.
    headers: sent with each request; {agent} becomes the User-Agent.
  """

  name: str
  query: str
  items: Callable[['Web', Query], Iterator[Item]]
  pictures: Callable[['Web', Item, Query], Iterable[Picture]]
  pause: float = 1.0
  key: Key | None = None
  robots: bool = False
  headers: dict[str, str] = dataclasses.field(default_factory=dict)
