"""Networks that tell identities apart."""

from __future__ import annotations
