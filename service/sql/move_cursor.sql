-- Only from where it was claimed: of two who read the same page, the second finds it moved and lets go.
UPDATE event_cursor
SET read_to = %(moved_to)s,
    read_until = %(moved_until)s,
    chunk = %(moved_chunk)s,
    page = %(moved_page)s,
    due_at = ledger_now() + %(wait)s
WHERE (account, stream, read_to, chunk) = (%(account)s, %(stream)s, %(read_to)s, %(chunk)s)
    AND read_until IS NOT DISTINCT FROM %(read_until)s::timestamptz AND page IS NOT DISTINCT FROM %(page)s::text
