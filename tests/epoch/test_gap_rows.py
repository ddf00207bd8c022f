"""Which rows a forgotten call can have counted: those of before the restore was noticed."""


def test_a_row_of_after_the_restore_is_billed_beside_what_was_forgotten(works):
    works.sends("r0", 1, minute=90)
    works.place.walk()
    works.server.keep()
    works.sends("r1", 7)
    works.place.walk()
    works.forgets()
    works.place.walk()
    works.place.write("ALTER TABLE epoch DISABLE TRIGGER USER")
    works.place.write(f"UPDATE epoch SET began_at = '{before(works)}' WHERE gap_from IS NOT NULL")
    works.confirms()
    works.sends("new", 7, minute=40)
    works.place.walk()
    assert works.counts() == 1 + 7 + 7


def before(works):
    """Half an hour after the forgotten row's time."""
    return works.told["r1"]["occurred_at"].replace(minute=30)
