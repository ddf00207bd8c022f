-- Said twice it is one pause: the first reason stands.
INSERT INTO pause (account, meter, actor, reason)
VALUES (%(account)s, %(meter)s, %(actor)s, %(reason)s)
ON CONFLICT (account, meter) DO NOTHING
