"""What holds for any input, checked with inputs that hypothesis invents."""

from __future__ import annotations
