-- What working on tickets needs besides them.

-- +goose Up
-- search is what a ticket is found by, folded. address_proved: whoever wrote it has shown that they read its mailbox; of
-- whoever was signed in nobody asks.
ALTER TABLE tickets ADD COLUMN search TEXT NOT NULL DEFAULT '';
ALTER TABLE tickets ADD COLUMN address_proved BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX tickets_by_time ON tickets (updated_at, id) WHERE state <> 'unproved';
-- Those that a stranger can make more of, which are therefore counted.
CREATE INDEX tickets_of_strangers ON tickets (created_at) WHERE kind = 'help' AND NOT address_proved AND state <> 'solved';

-- Each mail about a ticket has a key of its own, as nobody keeps one that could be mailed again.
CREATE TABLE ticket_keys (
    key_hash   BYTEA  NOT NULL PRIMARY KEY,
    ticket_id  TEXT   NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL
);
CREATE INDEX ticket_keys_of_ticket ON ticket_keys (ticket_id);

-- How often a network or an account has written within an hour; key is a hash.
CREATE TABLE ticket_budgets (
    key   BYTEA   NOT NULL PRIMARY KEY,
    spent INTEGER NOT NULL,
    since BIGINT  NOT NULL
);
CREATE INDEX ticket_budgets_by_time ON ticket_budgets (since);
