"""Histories of one meter event through every fault we can name, played by the workers' own rules, judged by an oracle.

Read it in this order: `weather` (what goes wrong, and when) → `stripe_books` (what Stripe counts) → `rules` (the
product's own decisions) → `facts`, `ledger` (a lane, and what the workers' steps do to it) → `history` (days in its
life) → `mutations` (mistakes that must show) → `sql_ledger`, `twice` (the same steps through the ledger's own SQL) →
`machine` (any order of steps).
"""
