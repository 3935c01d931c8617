-- Invitations, and what the user list filters by.

-- +goose Up
-- No foreign key: a link that was withdrawn says so after its person is gone. A person without a password has not joined.
CREATE TABLE invitations (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT,
    ended_by   TEXT   CHECK (ended_by IN ('joined', 'replaced', 'withdrawn'))
);
CREATE INDEX invitations_of_user ON invitations (user_id);
CREATE INDEX invitations_by_expiry ON invitations (expires_at);

-- The user list under its other filters; few people are in each of these.
CREATE INDEX users_asked_by_name ON users (sort_name, id) WHERE requirement = 'required' AND mfa_since IS NULL AND disabled_at IS NULL;
CREATE INDEX users_asked_by_email ON users (email_key) WHERE requirement = 'required' AND mfa_since IS NULL AND disabled_at IS NULL;
CREATE INDEX users_overdue ON users (COALESCE(deadline, 0)) WHERE requirement = 'required' AND mfa_since IS NULL AND disabled_at IS NULL;
CREATE INDEX users_disabled_by_name ON users (sort_name, id) WHERE disabled_at IS NOT NULL;
CREATE INDEX users_disabled_by_email ON users (email_key) WHERE disabled_at IS NOT NULL;
CREATE INDEX users_invited_by_name ON users (sort_name, id) WHERE password_hash = '';
CREATE INDEX users_invited_by_email ON users (email_key) WHERE password_hash = '';
CREATE INDEX second_step_tries_locked ON second_step_tries (user_id) WHERE locked_at IS NOT NULL;
CREATE INDEX backup_codes_used ON backup_codes (set_id) WHERE used_at IS NOT NULL;
