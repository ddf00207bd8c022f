"""The public door: verify, record, answer 200. No business rules, no Redis."""
