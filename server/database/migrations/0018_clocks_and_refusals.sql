-- What the browsers of people say about the servers' clocks, and where people get stuck.

-- +goose Up
-- One for each instance that has heard enough browsers lately. It says nothing of them but their middle one.
CREATE TABLE clocks (
    instance  TEXT    NOT NULL PRIMARY KEY,
    host      TEXT    NOT NULL,
    median_ms BIGINT  NOT NULL,
    samples   INTEGER NOT NULL,
    at        BIGINT  NOT NULL
);

-- Counted from the events, each of them once, so that a page about them costs the same however many there are. A day is
-- counted from 1970, in UTC.
CREATE TABLE refusals (
    day     BIGINT NOT NULL,
    reason  TEXT   NOT NULL,
    codes   BIGINT NOT NULL,
    stops   BIGINT NOT NULL,
    got_in  BIGINT NOT NULL,
    PRIMARY KEY (day, reason)
);
-- Up to which event they are counted.
CREATE TABLE refusals_until (
    id       INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    event_id TEXT    NOT NULL
);
