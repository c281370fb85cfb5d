"""PostgreSQL: the log is partitioned by month, event ids stay unique through a table of their own (ADR 13).

SQLite keeps the one table of the first migration: it has no partitions, and needs none at the size of one file.
"""

from django.db import migrations

LOG = """
CREATE TABLE reco_event_key (event_id varchar(128) COLLATE "C" PRIMARY KEY);
ALTER TABLE reco_interaction RENAME TO reco_interaction_whole;
CREATE TABLE reco_interaction (
    event_id varchar(128) COLLATE "C" NOT NULL,
    type smallint NOT NULL,
    visitor_id varchar(128) COLLATE "C" NOT NULL,
    product_id varchar(128) COLLATE "C" NOT NULL,
    at_us bigint NOT NULL,
    quantity integer NOT NULL,
    price double precision NULL,
    currency varchar(3) NOT NULL,
    order_id varchar(128) NOT NULL,
    recommendation_id varchar(128) NOT NULL,
    position integer NULL,
    placement varchar(64) NOT NULL,
    query varchar(500) NOT NULL,
    session_id varchar(128) NOT NULL
) PARTITION BY RANGE (at_us);
CREATE TABLE reco_interaction_default PARTITION OF reco_interaction DEFAULT;
INSERT INTO reco_event_key SELECT event_id FROM reco_interaction_whole;
INSERT INTO reco_interaction
    SELECT event_id, type, visitor_id, product_id, at_us, quantity, price, currency, order_id, recommendation_id,
        position, placement, query, session_id FROM reco_interaction_whole;
DROP TABLE reco_interaction_whole;
ALTER TABLE reco_interaction ADD CONSTRAINT reco_interaction_key PRIMARY KEY (event_id, at_us);
CREATE INDEX reco_interaction_at ON reco_interaction (at_us, event_id);
CREATE INDEX reco_interaction_visitor ON reco_interaction (visitor_id, at_us);
CREATE INDEX reco_interaction_product ON reco_interaction (product_id, at_us);
ALTER TABLE reco_model ALTER COLUMN version TYPE varchar(64) COLLATE "C";
ALTER TABLE reco_clock SET (fillfactor = 10);
"""


def partition(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(LOG)


class Migration(migrations.Migration):
    dependencies = [("reco_store", "0001_initial")]

    operations = [migrations.RunPython(partition, elidable=False)]
