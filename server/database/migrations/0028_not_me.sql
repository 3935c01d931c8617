-- What the person has answered since they last pressed "This wasn't me". What they have changed since is seen by the
-- times of the password, the apps and the backup codes themselves.

-- +goose Up
CREATE TABLE alarms (
    user_id       TEXT   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    raised_at     BIGINT NOT NULL,
    apps_known_at BIGINT
);

-- Only a browser that was known before a sign-in answers for it. Of those so far it is the last time that is known. The
-- default is for SQLite, which wants one here: whoever adds a browser says since when it is known.
ALTER TABLE known_browsers ADD COLUMN first_seen_at BIGINT NOT NULL DEFAULT 0;
UPDATE known_browsers SET first_seen_at = last_seen_at;
