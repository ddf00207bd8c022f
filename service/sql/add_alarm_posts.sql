-- In the transaction of what they tell, so that neither is without the other. Told once each.
INSERT INTO alarm_post (post_id, account, alarm_id, what, was_urgent, body)
SELECT post_id, %(account)s, alarm_id, what, was_urgent, body
FROM unnest(
    %(post_ids)s::text[], %(alarm_ids)s::bigint[], %(whats)s::text[], %(were_urgent)s::boolean[], %(bodies)s::text[]
) WITH ORDINALITY AS t (post_id, alarm_id, what, was_urgent, body, place)
ORDER BY place
ON CONFLICT (alarm_id, what) DO NOTHING
