"""Verify what meterpost posts of an alarm: python verify_alarm.py, or import `verified` where alarms are received."""

import hashlib
import hmac
import time


def verified(body: bytes, signature: str, *, secret: str, age_s_max: int = 300) -> bool:
    """Whether `body`, as it came, was signed with our secret, and not long ago; `signature`: Meterpost-Signature."""
    parts = dict(part.partition("=")[::2] for part in signature.split(","))
    signed = f"{parts.get('t', '')}.".encode() + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    is_ours = hmac.compare_digest(expected.encode(), parts.get("v1", "").encode())
    return is_ours and abs(time.time() - int(parts["t"])) <= age_s_max


if __name__ == "__main__":
    now, body, secret = int(time.time()), b'{"type": "alarm.raised"}', "made-up-secret-of-this-example"
    v1 = hmac.new(secret.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    print("ours:", verified(body, f"t={now},v1={v1}", secret=secret))
    print("another's:", verified(body + b" ", f"t={now},v1={v1}", secret=secret))
