-- Stripe's books show them: they count, whatever became of the calls. The lane is asked for again, to confirm.
WITH accepted AS (
    UPDATE meter_event
    SET state = 'accepted', reason = NULL, read_back_at = NULL, checked_at = NULL, accepted_at = ledger_now()
    WHERE meter_event_id = ANY(%(meter_event_ids)s) AND state = 'held'
    RETURNING lane_id
)
UPDATE lane
SET confirm_at = least(confirm_at, ledger_now() + %(confirm_after)s)
WHERE lane_id IN (SELECT lane_id FROM accepted)
