-- What the person has answered since they last pressed "This wasn't me". What they have changed since is seen by the
-- times of the password, the apps and the backup codes themselves.

-- +goose Up
CREATE TABLE alarms (
    user_id       TEXT   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    raised_at     BIGINT NOT NULL,
    apps_known_at BIGINT
);
