"""The faults that a call meets on its way: before Stripe sees it, before it executes, and on the way back."""

from dataclasses import replace

from sandbox.calls.faults import Drawn
from sandbox.errors import lock_timeout, server_error, too_many_concurrent
from sandbox.http.answer import Answer, gateway, silence


def cut_off(drawn: Drawn) -> Answer | None:
    """What a proxy or the network answers in Stripe's stead, before Stripe has seen the call."""
    if refused := drawn.get("connection_refused"):
        return silence(outage_s=refused.for_s)
    if "connection_reset" in drawn:
        return silence()
    return gateway() if "bad_gateway_before" in drawn else None


def interrupt(drawn: Drawn) -> None:
    if "lock_timeout" in drawn:
        raise lock_timeout()
    if "conflict" in drawn:
        raise too_many_concurrent()
    if "error_before" in drawn:
        raise server_error()


def spoilt(answer: Answer, drawn: Drawn) -> Answer:
    """What of the answer gets through."""
    if "bad_gateway_after" in drawn and answer.has_applied:
        return gateway(behind=answer)
    if "reply_lost" in drawn:
        return replace(answer, fate="lost", sending="nothing")
    if "truncated" in drawn:
        return replace(answer, fate="lost", sending="half")
    if drip := drawn.get("slow_drip"):
        return replace(answer, sending="slowly", bytes_per_s=drip.bytes_per_s)
    return answer
