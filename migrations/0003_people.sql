-- Departments that an API key is kept to, as a JSON array of names; empty: all of them.
ALTER TABLE api_keys ADD COLUMN departments TEXT NOT NULL DEFAULT '[]';
