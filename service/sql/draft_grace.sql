-- How long Stripe waits with the drafts of ended periods that are mirrored now; null: there is none, or each is held.
SELECT min(automatically_finalizes_at - to_timestamp((object ->> 'created')::bigint)) AS grace
FROM invoice
WHERE account = %(account)s AND status = 'draft' AND billing_reason = 'subscription_cycle'
    AND automatically_finalizes_at IS NOT NULL AND object ->> 'created' ~ '^[0-9]{1,11}$'
