-- In the transaction of what they tell, so that neither is without the other. Told once each, but for what changed: who
-- writes that has the turn of its kind's question, and measures it by the newest.
INSERT INTO alarm_post (post_id, account, alarm_id, what, was_urgent, rows, amount, currency, body)
SELECT post_id, %(account)s, alarm_id, what, was_urgent, rows, amount, currency, body
FROM unnest(
    %(post_ids)s::text[], %(alarm_ids)s::bigint[], %(whats)s::text[], %(were_urgent)s::boolean[], %(rows)s::bigint[],
    %(amounts)s::bigint[], %(currencies)s::text[], %(bodies)s::text[]
) WITH ORDINALITY AS t (post_id, alarm_id, what, was_urgent, rows, amount, currency, body, place)
ORDER BY place
ON CONFLICT (alarm_id, what) WHERE what <> 'changed' DO NOTHING
