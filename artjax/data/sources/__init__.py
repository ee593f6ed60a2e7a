"""Collections of pictures with random access, checked before a run starts.

  folder:PATH[,PATH...]     all JPEG, PNG, TIFF and WebP files below folders
  pairs:TARGETS,INPUTS      two folders, matched by path without suffix, or
                            patterns such as HR/*_HR.png, matched by path and
                            what the asterisk stands for
  tfds:NAME[:VERSION][@DATA_DIR][:SPLIT]
                            feature 'image' of a TFDS dataset prepared as
                            array_record; SPLIT as TFDS writes it, 'train'
  idx:DIR[:test]            digits of the four idx.gz files in a folder, those
                            to train on or those to test with
  sample                    eight photographs that come with scikit-image

`load(spec)` reads and decodes every picture once, in threads. What cannot be
used is logged with its reason, stands in `source.rejected` and is left out.
"""

from artjax.data.sources.base import load
from artjax.data.sources.base import parse
from artjax.data.sources.base import part_of
from artjax.data.sources.base import report
from artjax.data.sources.base import Source
from artjax.data.sources.base import split
from artjax.data.sources.decode import Unreadable

__all__ = [
  'Source',
  'Unreadable',
  'load',
  'parse',
  'part_of',
  'report',
  'split',
]
