-- Stripe's books differ from ours: an acceptance keeps that as its reason, or stands before a person with it. What is
-- noted already is not touched again, so that it is also said only once.
UPDATE meter_event
SET state = %(state)s, reason = %(reason)s
WHERE meter_event_id = ANY(%(meter_event_ids)s) AND state = 'accepted'
    AND (state, reason) IS DISTINCT FROM (%(state)s, %(reason)s)
