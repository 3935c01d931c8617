-- The browsers that somebody signed in with, so that a sign-in with another one is told.

-- +goose Up
CREATE TABLE known_browsers (
    user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    browser_id   BYTEA  NOT NULL,
    last_seen_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, browser_id)
);
CREATE INDEX known_browsers_by_time ON known_browsers (last_seen_at);
