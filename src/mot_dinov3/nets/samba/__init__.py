"""Networks whose memory is a state space model, synchronised between tracks."""

from __future__ import annotations
