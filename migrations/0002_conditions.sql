-- Conditions on a state as an OR of comparisons: for an IN of more than two values SQLite makes a table in memory at every insert
-- and at every change of the state, which costs as much as the insert itself. What they say is the same as before.

CREATE TABLE ingress_new (
  id BIGINT NOT NULL PRIMARY KEY, instance TEXT NOT NULL, route TEXT NOT NULL, method TEXT NOT NULL, url TEXT NOT NULL,
  headers TEXT NOT NULL, body {blob} NOT NULL, remote TEXT NOT NULL, received_at BIGINT NOT NULL,
  state TEXT NOT NULL DEFAULT 'received' CHECK (state = 'received' OR state = 'routed' OR state = 'ignored' OR state = 'dead'),
  reason TEXT, attempts BIGINT NOT NULL DEFAULT 0, retry_at BIGINT NOT NULL DEFAULT 0, routed_at BIGINT, replays BIGINT NOT NULL DEFAULT 0);
INSERT INTO ingress_new (id, instance, route, method, url, headers, body, remote, received_at, state, reason, attempts, retry_at,
  routed_at, replays)
SELECT id, instance, route, method, url, headers, body, remote, received_at, state, reason, attempts, retry_at, routed_at, replays
FROM ingress;
DROP TABLE ingress;
ALTER TABLE ingress_new RENAME TO ingress;
CREATE INDEX ingress_to_route ON ingress (instance, id) WHERE state = 'received';
CREATE INDEX ingress_trouble ON ingress (state, id) WHERE state IN ('ignored', 'dead');

DROP INDEX jobs_lane_head;
CREATE UNIQUE INDEX jobs_lane_head ON jobs (lane)
  WHERE lane IS NOT NULL AND (state = 'ready' OR state = 'running' OR state = 'unknown');
DROP INDEX jobs_lane_live;
CREATE INDEX jobs_lane_live ON jobs (lane, lane_seq)
  WHERE state = 'waiting' OR state = 'ready' OR state = 'running' OR state = 'unknown';
-- Again, and after the one above: of two indexes that serve a query alike SQLite takes the one that was made last.
DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (lane, lane_seq) WHERE state = 'waiting';
