-- Work that a request begins and that goes on behind it: bulk sends, exports, erasures (GET /api/v1/jobs/{id}).
-- recipients: JSON texts in the order given, "kind:value" or "?" and what was no address. draft: what is sent, until all of it is handed
-- over. subject: the contact of an export or an erasure. counted: what the daily cap counts of it.
CREATE TABLE tasks (
  id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('running','done','stopped','failed')),
  actor TEXT NOT NULL, channel TEXT, subject TEXT, draft TEXT NOT NULL DEFAULT '{}', recipients TEXT NOT NULL DEFAULT '[]',
  total BIGINT NOT NULL DEFAULT 0, successful BIGINT NOT NULL DEFAULT 0, failed BIGINT NOT NULL DEFAULT 0,
  duplicates BIGINT NOT NULL DEFAULT 0, counted BIGINT NOT NULL DEFAULT 0, result {blob}, result_until BIGINT,
  created_at BIGINT NOT NULL, finished_at BIGINT);
CREATE INDEX tasks_bulk ON tasks (channel, created_at) WHERE kind = 'bulk';
CREATE INDEX tasks_subject ON tasks (subject) WHERE subject IS NOT NULL;
CREATE INDEX tasks_results ON tasks (result_until) WHERE result_until IS NOT NULL;
CREATE INDEX tasks_created ON tasks (created_at);
-- One row for each recipient that was handed over or refused: what makes a second hand-over impossible.
CREATE TABLE task_items (
  task_id TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE, place BIGINT NOT NULL, message_id TEXT, error_code TEXT, error_reason TEXT,
  PRIMARY KEY (task_id, place));

-- May a user be deleted?
CREATE INDEX messages_staff ON messages (sender_id) WHERE sender_type = 'staff' AND sender_id IS NOT NULL;
