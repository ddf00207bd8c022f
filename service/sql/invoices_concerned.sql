-- The invoice that an event is about, or those of the customer or subscription; the newest period first.
SELECT i.invoice, i.customer, i.status, i.total, i.currency, i.period_start, i.period_end
FROM event AS e
LEFT JOIN subscription AS s ON (s.account, s.subscription) = (e.account, e.object_id)
JOIN invoice AS i ON i.account = e.account
    AND (i.invoice = e.object_id OR i.customer = e.object_id OR (i.customer, i.subscription) = (s.customer, s.subscription))
WHERE e.event_id = %(event_id)s
ORDER BY i.period_end DESC NULLS LAST, i.invoice
LIMIT %(items_max)s
