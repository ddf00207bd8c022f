-- Only of subscriptions that were told with all their items. Their periods' edges stay: they were true.
DELETE FROM subscription_item
WHERE account = %(account)s AND subscription = ANY(%(subscriptions)s) AND item <> ALL(%(items)s)
