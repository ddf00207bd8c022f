"""The doctor at the door: whether what Stripe says can be believed, how a rolling goes, and who else knocks."""

import time
from collections.abc import Mapping, Sequence

import psycopg

from service.doctor_ledger import connect
from service.findings import Finding, fail, fine, warn
from service.ledger.events import SecretUse, secret_uses
from service.ledger.strangers import StrangerCount, stranger_counts
from service.migrate import MigrationEdited, pending
from service.settings import Settings
from service.webhook_secrets import WebhookSecret

NOTHING_SIGNED = "what Stripe says by webhook cannot be believed, so the door does not open"
SIGNED = frozenset({"ended", "stale", "future", "no_event", "other_mode"})  # with a secret of ours, and refused


def check_webhooks(settings: Settings) -> list[Finding]:
    secrets = settings.webhook_secrets
    if not secrets:
        remedy = "set it to the endpoint's signing secret, whsec_…, from Stripe's Dashboard"
        return [fail("webhook secrets", f"STRIPE_WEBHOOK_SECRETS is not set: {NOTHING_SIGNED}", remedy)]
    uses, counts = _remembered(settings)
    return [*examine_secrets(secrets, uses, now_s=time.time()), *examine_strangers(counts)]


def examine_secrets(secrets: Sequence[WebhookSecret], uses: Sequence[SecretUse], *, now_s: float) -> list[Finding]:
    """`uses` are of the last seven days."""
    in_force = [secret for secret in secrets if secret.is_in_force(now_s)]
    ended = [_ended(secret) for secret in secrets if secret not in in_force]
    if not in_force:
        text = f"every secret has ended: {NOTHING_SIGNED}"
        return [fail("webhook secrets", text, "set STRIPE_WEBHOOK_SECRETS to the present secret"), *ended]
    used = {use.fingerprint: use for use in uses}
    told = ", ".join(_told(secret, used) for secret in in_force)
    idle = [_idle(secret) for secret in in_force if used and not secret.ends_at and secret.fingerprint not in used]
    return [fine("webhook secrets", f"{len(in_force)} in force: {told}"), *ended, *idle]


def examine_strangers(counts: Sequence[StrangerCount]) -> list[Finding]:
    """Nothing where nobody was refused, or the ledger cannot be looked at."""
    if not counts:
        return []
    today, yesterday = sum(count.today for count in counts), sum(count.yesterday for count in counts)
    by_reason = ", ".join(f"{count.today:,} and {count.yesterday:,} {count.reason}" for count in counts)
    text = f"the door refused {today:,} requests today and {yesterday:,} yesterday: {by_reason}"
    if any(count.reason in SIGNED for count in counts):
        remedy = (
            "see meterpost strangers list; some were signed: look at the clock, the secrets' ends and the key's mode"
        )
        return [warn("strangers", text, remedy)]
    return [fine("strangers", text)]


def _remembered(settings: Settings) -> tuple[list[SecretUse], list[StrangerCount]]:
    """Nothing where the ledger cannot be looked at: another check says so."""
    if not settings.database_url:
        return [], []
    try:
        with connect(settings.database_url) as tx:
            if pending(tx):
                return [], []
            return secret_uses(tx, settings.account), stranger_counts(tx, settings.account)
    except (psycopg.OperationalError, MigrationEdited):
        return [], []


def _told(secret: WebhookSecret, used: Mapping[str, SecretUse]) -> str:
    until = f" until {secret.ends_at.isoformat()}" if secret.ends_at else ""
    use = used.get(secret.fingerprint)
    told = f"{use.events:,} events in 7 days, last {use.last_at.isoformat(timespec='seconds')}" if use else "no event"
    return f"{secret.fingerprint}{until} ({told})"


def _ended(secret: WebhookSecret) -> Finding:
    assert secret.ends_at is not None, "what is not in force has ended"
    text = f"{secret.fingerprint} ended at {secret.ends_at.isoformat()} and verifies nothing any more"
    return warn("webhook secrets", text, "take it out of STRIPE_WEBHOOK_SECRETS")


def _idle(secret: WebhookSecret) -> Finding:
    text = f"{secret.fingerprint} has no end and verified nothing for 7 days, while another did"
    remedy = "if it was rolled, give it its end (whsec_…@2026-12-01T00:00:00Z); a destination may also be quiet"
    return warn("webhook secrets", text, remedy)
