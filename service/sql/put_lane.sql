-- A lane that was forgotten: its first row came after the time that the ledger was restored to.
INSERT INTO lane (account, customer, meter)
VALUES (%(account)s, %(customer)s, %(meter)s)
ON CONFLICT (account, customer, meter) DO UPDATE SET account = lane.account
RETURNING lane_id
