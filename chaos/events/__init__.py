"""The other way round: what happens at Stripe while everything breaks, and whether the mirrors say it in the end."""

from chaos.events.heard import Heard, change, connect, hear, subscribe

__all__ = ["Heard", "change", "connect", "hear", "subscribe"]
