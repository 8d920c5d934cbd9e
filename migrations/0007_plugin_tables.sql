-- Whose each table of a plugin is: another plugin's name may begin in the same way.
CREATE TABLE plugin_tables (
    name TEXT NOT NULL PRIMARY KEY,
    plugin TEXT NOT NULL
);
CREATE INDEX plugin_tables_plugin ON plugin_tables (plugin);
