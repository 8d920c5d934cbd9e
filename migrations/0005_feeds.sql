-- Each webhook has a queue of its own, so that a receiver that hangs holds up no other: webhooks:<slot>.
ALTER TABLE webhook_subscriptions ADD COLUMN slot BIGINT NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX webhook_subscriptions_slot ON webhook_subscriptions (slot);
