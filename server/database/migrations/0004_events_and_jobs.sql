-- What happened, and what is done at intervals.

-- +goose Up
-- No foreign keys: an event outlives the person it is about.
CREATE TABLE events (
    id         TEXT    NOT NULL PRIMARY KEY,
    at         BIGINT  NOT NULL,
    schema     INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    result     TEXT    NOT NULL CHECK (result IN ('ok', 'refused', 'fault')),
    actor_id   TEXT,
    subject_id TEXT,
    session_id TEXT,
    method     TEXT,
    reason     TEXT,
    address    TEXT    NOT NULL DEFAULT '',
    browser    TEXT    NOT NULL DEFAULT '',
    request_id TEXT    NOT NULL DEFAULT '',
    data       TEXT
);
CREATE INDEX events_about ON events (subject_id, id);
CREATE INDEX events_by_time ON events (at);

CREATE TABLE jobs (
    name        TEXT   NOT NULL PRIMARY KEY,
    next_at     BIGINT NOT NULL,
    started_at  BIGINT,
    finished_at BIGINT
);
