"""Files and streams: the only place where frames and result files are read and written."""

from __future__ import annotations
