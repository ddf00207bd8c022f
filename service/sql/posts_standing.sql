-- What the receiver has not taken: how much waits, since when, why the oldest of it does, and what was given up of late.
SELECT
    count(*) FILTER (WHERE due_at IS NOT NULL) AS waiting,
    min(made_at) FILTER (WHERE due_at IS NOT NULL) AS since,
    (array_agg(reason ORDER BY n) FILTER (WHERE due_at IS NOT NULL))[1] AS reason,
    count(*) FILTER (WHERE given_up_at IS NOT NULL) AS given_up
FROM alarm_post
WHERE account = %(account)s AND (due_at IS NOT NULL OR given_up_at > ledger_now() - interval '30 days')
