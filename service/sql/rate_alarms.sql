-- What they are worth, or that nobody knows: never a guess. Renewed only where that changed.
UPDATE alarm AS a
SET amount = r.amount,
    amount_rounded = r.amount_rounded,
    currency = r.currency,
    rated_by = r.rated_by,
    rated_at = ledger_now(),
    renewed_at = CASE WHEN (a.amount, a.currency) IS DISTINCT FROM (r.amount, r.currency) THEN ledger_now()
        ELSE a.renewed_at END
FROM unnest(
    %(alarm_ids)s::bigint[], %(amounts)s::numeric[], %(amounts_rounded)s::bigint[], %(currencies)s::text[],
    %(rated_bys)s::text[]
) AS r (alarm_id, amount, amount_rounded, currency, rated_by)
WHERE a.alarm_id = r.alarm_id AND a.cleared_at IS NULL
