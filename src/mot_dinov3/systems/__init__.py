"""Systems: each takes the frames of a clip and returns its tracks.

`base` is the door that every system comes through, `factory` the table of them.
"""

from __future__ import annotations
