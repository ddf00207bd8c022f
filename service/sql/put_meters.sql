-- Stripe's word replaces ours; a meter that Stripe no longer lists keeps its row and shows its age.
INSERT INTO meter
    (account, meter, stripe_id, formula, customer_key, value_key, event_time_window, is_active, read_at)
SELECT %(account)s, meter, stripe_id, formula, customer_key, value_key, event_time_window, is_active, ledger_now()
FROM unnest(
    %(meters)s::text[], %(stripe_ids)s::text[], %(formulas)s::text[], %(customer_keys)s::text[],
    %(value_keys)s::text[], %(event_time_windows)s::text[], %(are_active)s::boolean[]
) AS told (meter, stripe_id, formula, customer_key, value_key, event_time_window, is_active)
ORDER BY meter
ON CONFLICT (account, meter) DO UPDATE
SET stripe_id = EXCLUDED.stripe_id,
    formula = EXCLUDED.formula,
    customer_key = EXCLUDED.customer_key,
    value_key = EXCLUDED.value_key,
    event_time_window = EXCLUDED.event_time_window,
    is_active = EXCLUDED.is_active,
    read_at = EXCLUDED.read_at
