-- What a person's decision changed, with the entries that were recorded for it in this transaction.
INSERT INTO correction
    (action_id, kind, meter_event_id, corrected_entry_id, state_before, units, source, row_id, entry_id)
SELECT %(action_id)s, %(kind)s, c.meter_event_id, c.corrected_entry_id, c.state_before, c.units, k.source, k.row_id, k.entry_id
FROM unnest(
    %(meter_event_ids)s::bigint[], %(corrected_entry_ids)s::bigint[], %(states)s::text[], %(units)s::numeric[],
    %(row_ids)s::text[]
) AS c (meter_event_id, corrected_entry_id, state_before, units, row_id)
LEFT JOIN row_key AS k ON (k.account, k.source, k.row_id) = (%(account)s, %(source)s, c.row_id)
RETURNING correction_id
