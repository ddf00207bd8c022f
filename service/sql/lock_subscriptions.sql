-- Whoever learns stretches of a subscription does so alone, until the commit: of two who each had a word or an invoice
-- that the other could not see yet, neither would learn what both say together. Sorted, as every lock of many.
SELECT pg_advisory_xact_lock(hashtextextended(subscription, 0))
FROM (SELECT DISTINCT subscription FROM unnest(%(subscriptions)s::text[]) AS named (subscription) ORDER BY 1) AS sorted
