-- What is counted of strangers stands in one table, and which neighbourhood a ticket came from; until when a recovery is under way.

-- +goose Up
-- How often a network, an address or an account has done something within an hour; key is a hash. What was counted before is
-- forgotten: it was an hour's.
CREATE TABLE budgets (
    key   BYTEA   NOT NULL PRIMARY KEY,
    spent INTEGER NOT NULL,
    since BIGINT  NOT NULL
);
CREATE INDEX budgets_by_time ON budgets (since);
DROP TABLE ticket_budgets;
DROP TABLE password_ask_budgets;
-- What a network is one of many in, so that no neighbourhood crowds out the others; empty of tickets of before.
ALTER TABLE tickets ADD COLUMN neighbourhood TEXT NOT NULL DEFAULT '';
-- Until when what of a recovery is under way is, beside it: whoever reads the one compares the other with the clock.
ALTER TABLE users ADD COLUMN recovery_until BIGINT;
UPDATE users SET recovery_until = (SELECT r.expires_at FROM recoveries AS r WHERE r.user_id = users.id AND r.state IN ('asked', 'proved', 'approved'))
    WHERE recovery <> '';
