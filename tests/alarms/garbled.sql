-- Asks for what is not there.
SELECT no_such_column FROM alarm
