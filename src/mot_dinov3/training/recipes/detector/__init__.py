"""`train detector`: a detection transformer on a frozen backbone."""

from __future__ import annotations
