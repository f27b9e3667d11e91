"""What tests of programs built on vstash need: an embedder that loads no model."""

from __future__ import annotations

from vstash.embed.fake import FakeEmbedder

__all__ = ["FakeEmbedder"]
