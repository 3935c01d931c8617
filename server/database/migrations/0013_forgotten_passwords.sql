-- Forgotten passwords: who asks for a link, how often, and the links that were mailed.

-- +goose Up
-- user_id is NULL where nobody can be sent a link: an ask leaves the same row, whoever it is for, until it is answered. No
-- foreign key: who answers it holds the ask first and then the person, who may be on the way out.
CREATE TABLE password_asks (
    id         TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT,
    created_at BIGINT NOT NULL,
    browser    TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    request_id TEXT   NOT NULL
);
CREATE INDEX password_asks_by_time ON password_asks (created_at);

-- key is a hash over an address, known or not, or over a network.
CREATE TABLE password_ask_budgets (
    key   BYTEA   NOT NULL PRIMARY KEY,
    asks  INTEGER NOT NULL,
    since BIGINT  NOT NULL
);
CREATE INDEX password_ask_budgets_by_time ON password_ask_budgets (since);

-- email_key is the address that the link went to; after another one it is good no more.
CREATE TABLE password_links (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email_key  TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT,
    ended_by   TEXT   CHECK (ended_by IN ('used', 'replaced', 'withdrawn'))
);
CREATE INDEX password_links_of_user ON password_links (user_id);
CREATE INDEX password_links_by_expiry ON password_links (expires_at);
