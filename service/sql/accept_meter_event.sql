-- An acceptance of the current generation counts under any fence: Stripe has it, whoever asked.
WITH accepted AS (
    UPDATE meter_event
    SET state = 'accepted', reason = NULL, due_at = NULL, read_back_at = NULL, accepted_at = ledger_now()
    WHERE (meter_event_id, generation) = (%(meter_event_id)s, %(generation)s) AND state IN ('sealed', 'unknown', 'held')
    RETURNING lane_id
)
UPDATE lane
SET confirm_at = least(confirm_at, ledger_now() + %(confirm_after)s)
WHERE lane_id IN (SELECT lane_id FROM accepted)
