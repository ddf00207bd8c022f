"""Stripe takes meter events with a 200 and refuses them later: none is believed to be billed."""


def test_of_40_refusals_of_which_stripe_names_3_all_40_become_dead_letters(shop):
    shop.reject(40)
    shop.sent(4, each=10)
    assert shop.states() == {"accepted": 40}

    shop.report()
    assert shop.states() == {"refused": 3, "accepted": 37}
    shop.read()
    assert shop.states() == {"refused": 3, "held": 37}
    assert shop.ask("SELECT count(*) FROM dead_letter") == [40]
    shop.prove_absences()

    assert shop.states() == {"refused": 40, "confirmed": 1}
    assert shop.ask("SELECT max(generation) FROM generation") == [1]
    assert shop.breaches() == []


def test_of_40_refusals_reported_before_their_200_all_40_become_dead_letters(shop, hear_late):
    shop.reject(40)
    shop.seal(40)

    hear_late(40, shop.report)
    assert shop.ask("SELECT DISTINCT outcome FROM attempt") == ["accepted"]
    assert shop.states() == {"refused": 3, "accepted": 37}
    shop.read()
    assert shop.states() == {"refused": 3, "held": 37}
    shop.prove_absences()

    assert shop.states() == {"refused": 40, "confirmed": 1}
    assert shop.ask("SELECT count(*) FROM dead_letter WHERE class = 'refused'") == [40]
    assert shop.breaches() == []
