"""What should have happened in a run and did not: without it, that nothing went wrong shows nothing."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from chaos.days import mishaps, weather
from chaos.days.weather import Storm

FULL_DAYS = 12  # fewer leave no room for every kind of weather and mishap, and nothing is asked of them
OF_EACH_KIND_MIN = 5  # of the mishaps
OUTAGE_MIN = timedelta(hours=48)


def missed(storms: Iterable[Storm], *, steps: Counter[str], mishaps_done: Counter[str], found_twice: int) -> list[str]:
    """Of a full run, a sentence each. `steps` were lived through in each weather."""
    longest = max((storm.ends - storm.begins for storm in storms), default=timedelta())
    rare = [kind for kind in mishaps.KINDS if mishaps_done[kind] < OF_EACH_KIND_MIN]
    return [
        *(f"no step in: {name}" for name in weather.KINDS if not steps[name]),
        *(f"{kind}: {mishaps_done[kind]} times only" for kind in rare),
        *([] if longest >= OUTAGE_MIN else [f"the longest outage was {longest}"]),
        *([] if found_twice else ["no call counted a second time because Stripe had forgotten its identifier"]),
    ]
