"""The nouns: settings, queues, ledger, meter events, outcomes, the Stripe gateway. No loops, no Flask."""
