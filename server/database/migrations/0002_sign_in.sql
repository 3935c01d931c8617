-- Sessions, sign-ins between password and second step, and what limits guessing.

-- +goose Up
CREATE TABLE sessions (
    id             TEXT   NOT NULL PRIMARY KEY,
    token_hash     BYTEA  NOT NULL UNIQUE,
    user_id        TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at     BIGINT NOT NULL,
    last_seen_at   BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    confined_to    TEXT   CHECK (confined_to IN ('enrolment')),
    signed_in_with TEXT   NOT NULL,
    proof_at       BIGINT,
    proof_with     TEXT   NOT NULL DEFAULT '',
    browser        TEXT   NOT NULL DEFAULT '',
    browser_id     BYTEA,
    address        TEXT   NOT NULL DEFAULT ''
);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE pending_sign_ins (
    id         TEXT    NOT NULL PRIMARY KEY,
    token_hash BYTEA   NOT NULL UNIQUE,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    created_at BIGINT  NOT NULL,
    expires_at BIGINT  NOT NULL,
    attempts   INTEGER NOT NULL DEFAULT 0,
    browser    TEXT    NOT NULL DEFAULT '',
    address    TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX pending_sign_ins_of_user ON pending_sign_ins (user_id);
CREATE INDEX pending_sign_ins_by_expiry ON pending_sign_ins (expires_at);

-- key is a hash over account (or unknown name) and network, so no foreign key.
CREATE TABLE password_tries (
    key           BYTEA   NOT NULL PRIMARY KEY,
    failures      INTEGER NOT NULL DEFAULT 0,
    blocked_until BIGINT  NOT NULL DEFAULT 0,
    last_at       BIGINT  NOT NULL
);
CREATE INDEX password_tries_by_last ON password_tries (last_at);

CREATE TABLE second_step_tries (
    user_id           TEXT    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    window_started_at BIGINT  NOT NULL,
    failures          INTEGER NOT NULL DEFAULT 0,
    in_a_row          INTEGER NOT NULL DEFAULT 0,
    delay_ms          BIGINT  NOT NULL DEFAULT 0,
    blocked_until     BIGINT  NOT NULL DEFAULT 0,
    locked_at         BIGINT
);
