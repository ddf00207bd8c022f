"""The rate card: what each metric costs, as a file that people review; read, checked, shown, compared with Stripe."""

from service.ratecard.card import CardRefused, Rate, RateCard, load, parse
from service.ratecard.schema import Problem

__all__ = ["CardRefused", "Problem", "Rate", "RateCard", "load", "parse"]
