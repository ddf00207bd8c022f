-- Open the breaker where most of the lanes that were called last failed at Stripe's side. Each lane has one voice, its
-- newest, so that a lane's own trouble stays its own. Attempts are in the order in which they began; the answers that came
-- last are looked for among the newest of them, of which there are more than all processes together can have open.
WITH answers AS (
    SELECT a.lane_id, a.scope, a.ended_at
    FROM (SELECT * FROM attempt ORDER BY attempt_id DESC LIMIT %(attempts_max)s) AS a
    JOIN lane AS l USING (lane_id)
    JOIN account AS c ON c.account = l.account
    WHERE l.account = %(account)s AND a.ended_at > ledger_now() - %(within)s
        AND (c.answered_at IS NULL OR a.started_at > c.answered_at)
    ORDER BY a.ended_at DESC
    LIMIT %(answers_max)s
), voices AS (
    SELECT DISTINCT ON (lane_id) coalesce(scope = 'stripe', false) AS has_failed
    FROM answers
    ORDER BY lane_id, ended_at DESC
), verdict AS (
    SELECT count(*) FILTER (WHERE has_failed) AS failed, count(*) AS lanes FROM voices
)
UPDATE account
SET openings = 1, paused_until = ledger_now() + %(wait_min)s, pause_reason = %(reason)s
FROM verdict
WHERE account = %(account)s AND openings = 0 AND failed >= %(lanes_min)s AND 3 * failed >= 2 * lanes
RETURNING openings, paused_until
