"""Histories of one meter event through every fault we can name, played by the workers' own rules, judged by an oracle.

Read it in this order: `weather` (what goes wrong, and when) → `stripe_books` (what Stripe counts) → `rules` (the
product's own decisions, and mutations of them) → `ledger` and `history` (days in the life of a meter event).
"""
