-- Stripe counts it once too often, or a person takes it back: the call that cancels one is due. Once a meter event, whoever
-- finds or decides it.
INSERT INTO surplus (meter_event_id, generation, cancel_until, due_at, correction_id)
VALUES (%(meter_event_id)s, %(generation)s, %(cancel_until)s, ledger_now(), %(correction_id)s)
ON CONFLICT (meter_event_id) DO NOTHING
