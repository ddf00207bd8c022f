"""A proxy keeps connections open over a restore: who holds one is not told that another ledger is behind it."""


def test_nothing_is_sealed_before_somebody_has_looked(works):
    works.place.ledger.on_connect(lambda _: None)
    works.sends("r0", 1, minute=90)
    works.place.walk()
    works.server.keep()
    works.sends("r1", 7)
    works.place.walk()
    works.forgets()
    works.sends_again("r1")
    works.place.seal()
    works.confirms()
    works.place.walk()
    assert works.counts() == 8
