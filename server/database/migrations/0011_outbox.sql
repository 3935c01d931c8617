-- Mails that wait to be sent, and those of the last weeks.

-- +goose Up
-- Whether serve sends mail, so that the console's commands know it too.
ALTER TABLE installation ADD COLUMN mails BOOLEAN NOT NULL DEFAULT FALSE;

-- link is sealed by a data key, and emptied once the mail is over; good_until is when it opens nothing any more.
-- No foreign key: what was done to a person is told at the address on record then, whatever becomes of the person.
CREATE TABLE outbox (
    id            TEXT    NOT NULL PRIMARY KEY,
    user_id       TEXT    NOT NULL,
    address       TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    facts         TEXT    NOT NULL,
    link          BYTEA   NOT NULL DEFAULT '',
    good_until    BIGINT,
    times         INTEGER NOT NULL DEFAULT 1,
    at            BIGINT  NOT NULL,
    created_at    BIGINT  NOT NULL,
    due_at        BIGINT  NOT NULL,
    next_at       BIGINT  NOT NULL,
    tries         INTEGER NOT NULL DEFAULT 0,
    claimed_until BIGINT  NOT NULL DEFAULT 0,
    sent_at       BIGINT,
    given_up_at   BIGINT,
    problem       TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX outbox_waiting ON outbox (next_at, id) WHERE sent_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outbox_unsent ON outbox (due_at, id) WHERE sent_at IS NULL;
CREATE INDEX outbox_to ON outbox (address, created_at);
CREATE INDEX outbox_about ON outbox (user_id, kind, due_at);
CREATE INDEX outbox_by_time ON outbox (created_at);
