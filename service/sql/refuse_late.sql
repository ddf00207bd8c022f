-- Usage of a time whose invoice is final is not sent: Stripe would count it on no invoice. It owns no minute, and stands on
-- the desk with that invoice as its reason.
UPDATE draft AS d
SET unsent_state = 'refused', minute = NULL, unsent_reason = late.said
FROM (
    SELECT drafted.ctid AS place, lateness(l.account, l.customer, m.stripe_id, drafted.stamped_at) AS said
    FROM draft AS drafted
    JOIN lane AS l USING (lane_id)
    JOIN meter AS m USING (account, meter)
    WHERE drafted.unsent_reason IS NULL
) AS late
WHERE d.ctid = late.place AND late.said IS NOT NULL
