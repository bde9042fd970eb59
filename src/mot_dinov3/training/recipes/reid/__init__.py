"""Re-identification: networks that tell identities apart, learned with and without labels."""

from __future__ import annotations
