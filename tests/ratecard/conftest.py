"""Rate cards as texts, and a Stripe of the test's own."""

CARD = """\
currency = "usd"
[[metrics]]
metric = "calls"
unit = "call"
price = "0.002"
"""


def metric(*lines: str, currency: str = "usd") -> bytes:
    """A card of one metric, with these lines besides."""
    return "\n".join([f'currency = "{currency}"', "[[metrics]]", 'metric = "calls"', 'unit = "call"', *lines]).encode()
