-- Stripe counts it once too often: the call that cancels one is due. Once a meter event, whoever finds it.
INSERT INTO surplus (meter_event_id, generation, cancel_until, due_at)
VALUES (%(meter_event_id)s, %(generation)s, %(cancel_until)s, ledger_now())
ON CONFLICT (meter_event_id) DO NOTHING
