-- What an invoice is about to bill is read once more, whatever was read before: the hours of its period, where they were
-- not compared within the time that is left. A finalization is known by the invoice's own word or, where no word of it has
-- come, by the period's end, after which Stripe waits an hour. What another worker has claimed is due soon and stays its,
-- and what Stripe refuses to tell comes again by itself.
WITH deadlines AS (
    SELECT l.lane_id, i.period_start AS since, i.period_end AS until, i.automatically_finalizes_at AS finalizes_at
    FROM invoice AS i
    JOIN lane AS l ON (l.account, l.customer) = (i.account, i.customer)
    WHERE i.account = %(account)s AND i.status = 'draft'
        AND i.automatically_finalizes_at > ledger_now() AND i.automatically_finalizes_at <= ledger_now() + %(ahead)s
    UNION ALL
    SELECT l.lane_id, coalesce(before.edge_at, '-infinity'), e.edge_at, e.edge_at + %(grace)s
    FROM period_edge AS e
    JOIN lane AS l USING (account, customer, meter)
    CROSS JOIN LATERAL (
        SELECT max(b.edge_at) AS edge_at
        FROM period_edge AS b
        WHERE (b.account, b.customer, b.meter) = (e.account, e.customer, e.meter) AND b.edge_at < e.edge_at
    ) AS before
    WHERE e.account = %(account)s
        AND e.edge_at > ledger_now() - %(grace)s AND e.edge_at <= ledger_now() + %(ahead)s - %(grace)s
)
UPDATE confirmed_hour AS h
SET due_at = ledger_now()
FROM deadlines AS d
WHERE h.lane_id = d.lane_id AND h.hour < d.until AND h.hour + interval '1 hour' > d.since
    AND h.read_at < d.finalizes_at - %(ahead)s AND h.unread_since IS NULL
    AND (h.due_at IS NULL OR h.due_at > ledger_now() + %(claim)s)
