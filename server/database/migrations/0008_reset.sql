-- Who was reset by an administrator, and the links by which they enrol anew.

-- +goose Up
-- Set from the reset until a new app is in force: while it is, nothing that is older proves anything.
ALTER TABLE users ADD COLUMN reset_at BIGINT;

-- At most one a person: a newer one takes its place.
CREATE TABLE enrolment_links (
    user_id    TEXT   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    token_hash BYTEA  NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX enrolment_links_by_expiry ON enrolment_links (expires_at);
