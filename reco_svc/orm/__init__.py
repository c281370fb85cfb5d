"""Tables of the recommender as a Django app (label `reco_store`): models, migrations, the history of rules.

A room of its own beside `service`, so that `adapters` (the ports) and `transport.admin` (the pages) may both use it
without using each other; see docs/adr. `models` may be imported only after `adapters.django_setup.configure`.
"""
