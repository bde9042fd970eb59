"""Sources: files, directories, streams and cameras become frames."""

from __future__ import annotations
