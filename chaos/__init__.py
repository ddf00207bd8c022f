"""What the guarantee is tried with: a whole meterpost, hurt on purpose, and judged by what Stripe counted.

Each command breaks things of one kind, prints what it did and exits 1 where a unit was lost or doubled. `judge` is
shared by all: the auditor's totals against an independent sum of what producers were told is safe, every call at Stripe
against the attempt that was written down for it, and the invariants of the ledger (`service/invariants.py`).
"""
