"""A faithful local Stripe: its contract, its refusals and its faults, without its network.

It knows Stripe's behaviour and nothing of the rest of this repository, which starts it as a process and speaks to it
over HTTP like to the real one. What Stripe leaves undocumented is a switch in `settings.py`.
"""
