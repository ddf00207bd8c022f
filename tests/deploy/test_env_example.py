"""The example of an environment names every setting, and no secret."""

import re

from local.guarded import ROOT
from local.parent import PARENT_VARIABLE
from service.crash_points import VARIABLE as CRASH_POINT
from service.variables import KNOWN

STORES = {"DATABASE_URL", "BROKER_URL", "REDIS_URL"}
STRIPE = {"STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "STRIPE_API_BASE", "STRIPE_METER_EVENTS_BASE"}
DEPLOYMENT = {"POSTGRES_PASSWORD", "REDIS_PASSWORD", "WEB_HOST", "PORT", "WEB_CONCURRENCY"}

EXAMPLE = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


def test_every_setting_is_in_the_example() -> None:
    assert set(EXAMPLE) == (KNOWN - {PARENT_VARIABLE, CRASH_POINT}) | STORES | STRIPE | DEPLOYMENT


def test_no_secret_is_in_the_example() -> None:
    secrets = {name for name in EXAMPLE if name.endswith(("_KEY", "_SECRETS", "_PASSWORD"))}
    assert {EXAMPLE[name] for name in secrets} == {""}
