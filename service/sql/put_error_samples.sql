-- Each sample with what it names: a generation by its identifier, or by a key under which it was called for. A key is the
-- identifier, or the identifier and a number behind it, so that one index finds both.
INSERT INTO error_sample (account, event_id, number, code, message, told, meter_event_id, generation)
SELECT %(account)s, %(event_id)s, s.number, s.code, s.message, s.told, g.meter_event_id, g.generation
FROM unnest(%(codes)s::text[], %(messages)s::text[], %(told)s::text[])
    WITH ORDINALITY AS s (code, message, told, number)
LEFT JOIN (
    generation AS g
    JOIN meter_event AS m USING (meter_event_id)
    JOIN lane AS l ON l.lane_id = m.lane_id AND l.account = %(account)s
) ON g.identifier IN (s.told, regexp_replace(s.told, '\.\d+$', '')) AND (g.identifier = s.told OR EXISTS (
    SELECT FROM attempt AS a
    WHERE (a.meter_event_id, a.generation) = (g.meter_event_id, g.generation) AND a.idempotency_key = s.told
))
ON CONFLICT DO NOTHING
