-- What each word said stays, also where a newer one holds already: told twice, kept once.
INSERT INTO subscription_word (account, subscription, told_at, digest, facts)
SELECT %(account)s, subscription, told_at, md5(facts::text), facts
FROM unnest(%(subscriptions)s::text[], %(told_ats)s::timestamptz[], %(facts)s::jsonb[])
    AS told (subscription, told_at, facts)
ORDER BY subscription, told_at
ON CONFLICT DO NOTHING
