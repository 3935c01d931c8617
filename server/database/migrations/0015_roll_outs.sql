-- A requirement that is set for many people, a few at a time, and reminders of it.

-- +goose Up
-- No foreign key: what was done stays, whatever becomes of the people. people are ids, where they were chosen by
-- hand; else the three columns after it filter everybody, as the user list does. cursor is the id of whoever was done
-- last: the next few are whoever moves it.
CREATE TABLE roll_outs (
    id           TEXT    NOT NULL PRIMARY KEY,
    kind         TEXT    NOT NULL CHECK (kind IN ('requirement', 'roll_out', 'reminder')),
    by_id        TEXT    NOT NULL,
    created_at   BIGINT  NOT NULL,
    people       TEXT    NOT NULL DEFAULT '',
    query        TEXT    NOT NULL DEFAULT '',
    protection   TEXT    NOT NULL DEFAULT '',
    role         TEXT    NOT NULL DEFAULT '',
    requirement  TEXT    NOT NULL DEFAULT '',
    deadline     BIGINT,
    reason       TEXT    NOT NULL DEFAULT '',
    message      TEXT    NOT NULL DEFAULT '',
    total        INTEGER NOT NULL,
    done         INTEGER NOT NULL DEFAULT 0,
    changed      INTEGER NOT NULL DEFAULT 0,
    unchanged    INTEGER NOT NULL DEFAULT 0,
    mailed       INTEGER NOT NULL DEFAULT 0,
    left_out     TEXT    NOT NULL DEFAULT '{}',
    cursor       TEXT    NOT NULL DEFAULT '',
    last_id      TEXT    NOT NULL,
    leased_until BIGINT  NOT NULL DEFAULT 0,
    state        TEXT    NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'stopped')),
    stopped_for  TEXT    NOT NULL DEFAULT '',
    ended_at     BIGINT
);
CREATE INDEX roll_outs_running ON roll_outs (id) WHERE state = 'running';
CREATE INDEX roll_outs_by_end ON roll_outs (ended_at) WHERE ended_at IS NOT NULL;

-- Whom a roll-out asked, to see afterwards how many of them are protected.
CREATE TABLE roll_out_people (
    roll_out_id TEXT NOT NULL,
    user_id     TEXT NOT NULL,
    PRIMARY KEY (roll_out_id, user_id)
);

-- When somebody was reminded last, whoever did it.
CREATE TABLE reminders (
    user_id TEXT   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    at      BIGINT NOT NULL
);
CREATE INDEX reminders_by_time ON reminders (at);

-- A mail that many get keeps nobody waiting for one that tells of their own account.
CREATE INDEX outbox_urgent ON outbox (next_at, id) WHERE sent_at IS NULL AND given_up_at IS NULL AND kind NOT IN ('roll_out', 'reminder');
