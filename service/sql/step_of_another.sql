-- What another signup of the account learnt of the same price, or made of the same name, and not too long ago.
SELECT x.found, x.told, x.done_at
FROM signup_step AS x
JOIN signup AS s USING (signup_id)
JOIN signup_lane AS l USING (signup_lane_id)
WHERE x.found = %(found)s AND x.step = %(step)s AND l.account = %(account)s
    AND (%(within)s::interval IS NULL OR x.done_at > ledger_now() - %(within)s::interval)
ORDER BY x.done_at DESC
LIMIT 1
