-- Changes of an e-mail address that wait to be proved, and the links by which somebody stops what was done to an account.

-- +goose Up
-- At most one a person: a newer one takes its place. An address that somebody has waits here like any other; its link is
-- mailed to nobody.
CREATE TABLE email_changes (
    user_id    TEXT   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    token_hash BYTEA  NOT NULL UNIQUE,
    email      TEXT   NOT NULL,
    asked_by   TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX email_changes_by_expiry ON email_changes (expires_at);

-- email is the address that the link was mailed to: of a changed address, the one to put back, which is told of what
-- happens to the account for as long as the link is good.
CREATE TABLE stops (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind       TEXT   NOT NULL CHECK (kind IN ('email', 'reset')),
    email      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX stops_of_user ON stops (user_id, kind);
CREATE INDEX stops_by_expiry ON stops (expires_at);
