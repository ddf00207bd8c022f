"""Stripe's objects as we mirror them, read from whatever JSON came: `mirror`, and what is read in each kind. Pure."""

from service.mirrors.mirror import KINDS, Mirror, Unreadable, listed, mirror
from service.mirrors.values import DEPTH_MAX, Json, id_of, inner, instant, storable, word

__all__ = [
    "DEPTH_MAX",
    "KINDS",
    "Json",
    "Mirror",
    "Unreadable",
    "id_of",
    "inner",
    "instant",
    "listed",
    "mirror",
    "storable",
    "word",
]
