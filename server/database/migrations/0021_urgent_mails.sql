-- Mails that strangers can cause keep nobody waiting for one that tells of their own account.

-- +goose Up
DROP INDEX outbox_urgent;
CREATE INDEX outbox_urgent ON outbox (next_at, id) WHERE sent_at IS NULL AND given_up_at IS NULL AND kind NOT IN ('roll_out', 'reminder', 'ticket_proof');
