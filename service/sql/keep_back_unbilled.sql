-- Of the due entries those that no stretch bills stay where they are; but what is about to grow too old for Stripe is
-- let go, since a subscription that is made for it later finds it there.
WITH unbilled AS (
    SELECT e.entry_id, e.occurred_at <= ledger_now() - %(let_go_age)s AS is_let_go
    FROM due AS d
    JOIN lane AS l USING (lane_id)
    JOIN meter AS m USING (account, meter)
    JOIN entry AS e USING (lane_id, bucket)
    WHERE e.meter_event_id IS NULL AND NOT is_billed(l.account, l.customer, m.stripe_id, e.occurred_at)
),
kept AS (
    INSERT INTO kept_back (entry_id)
    SELECT entry_id FROM unbilled WHERE NOT is_let_go
)
SELECT count(*) FILTER (WHERE NOT is_let_go) AS rows, count(*) FILTER (WHERE is_let_go) AS let_go
FROM unbilled
