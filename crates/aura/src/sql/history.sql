-- The migrations applied to this schema, as refinery wrote them down.
SELECT version, name, applied_on, checksum FROM refinery_schema_history ORDER BY version
