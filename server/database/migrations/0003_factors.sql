-- Authenticator apps and backup codes.

-- +goose Up
CREATE TABLE totp_apps (
    id           TEXT   NOT NULL PRIMARY KEY,
    user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT   NOT NULL,
    label        TEXT   NOT NULL,
    secret       BYTEA  NOT NULL,
    last_step    BIGINT NOT NULL DEFAULT 0,
    last_used_at BIGINT,
    added_at     BIGINT NOT NULL
);
CREATE INDEX totp_apps_of_user ON totp_apps (user_id);

-- secret_id is an app's or an enrolment's id; it outlives both, so no foreign key.
CREATE TABLE totp_spent_steps (
    secret_id  TEXT   NOT NULL,
    step       BIGINT NOT NULL,
    how        TEXT   NOT NULL CHECK (how IN ('used', 'burned')),
    spent_at   BIGINT NOT NULL,
    browser    TEXT   NOT NULL DEFAULT '',
    browser_id BYTEA,
    PRIMARY KEY (secret_id, step)
);
CREATE INDEX totp_spent_steps_by_time ON totp_spent_steps (spent_at);

-- session_id is the session's stable id and no foreign key: a confirmed enrolment goes
-- on after the session in which it was begun has ended.
CREATE TABLE totp_enrolments (
    id           TEXT    NOT NULL PRIMARY KEY,
    user_id      TEXT    NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE,
    session_id   TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    label        TEXT    NOT NULL,
    replaces     TEXT,
    secret       BYTEA   NOT NULL,
    last_step    BIGINT  NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    created_at   BIGINT  NOT NULL,
    expires_at   BIGINT  NOT NULL,
    confirmed_at BIGINT
);
CREATE INDEX totp_enrolments_by_expiry ON totp_enrolments (expires_at);

-- Read by the diagnosis only, never by what accepts a code.
CREATE TABLE totp_retired (
    id         TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    label      TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    secret     BYTEA  NOT NULL,
    why        TEXT   NOT NULL CHECK (why IN ('replaced', 'abandoned', 'disabled', 'removed')),
    retired_at BIGINT NOT NULL
);
CREATE INDEX totp_retired_of_user ON totp_retired (user_id, retired_at);
CREATE INDEX totp_retired_by_time ON totp_retired (retired_at);

CREATE TABLE backup_code_sets (
    id           TEXT   NOT NULL PRIMARY KEY,
    user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    enrolment_id TEXT,
    session_id   TEXT   NOT NULL,
    state        TEXT   NOT NULL CHECK (state IN ('pending', 'active', 'retired')),
    created_at   BIGINT NOT NULL,
    activated_at BIGINT,
    retired_at   BIGINT
);
CREATE INDEX backup_code_sets_of_user ON backup_code_sets (user_id, state);
CREATE UNIQUE INDEX backup_code_sets_one_active ON backup_code_sets (user_id) WHERE state = 'active';
CREATE UNIQUE INDEX backup_code_sets_one_pending ON backup_code_sets (user_id) WHERE state = 'pending';

CREATE TABLE backup_codes (
    id           TEXT    NOT NULL PRIMARY KEY,
    set_id       TEXT    NOT NULL REFERENCES backup_code_sets (id) ON DELETE CASCADE,
    user_id      TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    position     INTEGER NOT NULL CHECK (position BETWEEN 1 AND 10),
    selector     TEXT    NOT NULL,
    hash         TEXT    NOT NULL,
    used_at      BIGINT,
    used_browser TEXT,
    UNIQUE (user_id, selector),
    UNIQUE (set_id, position)
);
