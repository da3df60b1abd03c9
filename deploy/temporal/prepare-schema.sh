#!/bin/sh
# Makes both databases and brings their schemas up to this version of Temporal. May run again at any time: what is there is
# kept. SQL_PLUGIN, SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD are read by the tool itself.
set -eu

prepare() {
  SQL_DATABASE=$1 temporal-sql-tool create-database
  # Does nothing to a schema that is further on already.
  SQL_DATABASE=$1 temporal-sql-tool setup-schema --version 0.0
  SQL_DATABASE=$1 temporal-sql-tool update-schema --schema-dir "$SCHEMA_DIR/$2/versioned"
}

prepare temporal temporal
prepare temporal_visibility visibility
