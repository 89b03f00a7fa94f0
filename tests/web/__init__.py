"""The imitation web: a local forward proxy that plays the real hosts in their real structure, with our own texts."""

from .control import Control, ControlError, ImitationWeb, overlaps

__all__ = ["Control", "ControlError", "ImitationWeb", "overlaps"]
