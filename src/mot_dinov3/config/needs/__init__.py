"""Which flag does nothing, or harm, beside which other setting."""

from __future__ import annotations
