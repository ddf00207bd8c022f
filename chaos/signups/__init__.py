"""Subscription rows in a storm of refusals, lost replies and deaths: one subscription a row, each call accounted for.

`shop` is what is told and to whom, `place` what it is tried on and how it is hurt, `blind` a worker that must double,
`judge` what is found by Stripe's own list, the wire and the ledger.
"""
