-- Security keys, and the challenges that they sign.

-- +goose Up
-- What authenticators know a person by: random, so that it tells nobody who they are.
CREATE TABLE webauthn_handles (
    user_id    TEXT   NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    handle     BYTEA  NOT NULL UNIQUE,
    created_at BIGINT NOT NULL
);

-- record is the whole of what registration gave; the columns beside it are what is looked for and what changes.
CREATE TABLE webauthn_keys (
    id              TEXT    NOT NULL PRIMARY KEY,
    user_id         TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name            TEXT    NOT NULL,
    credential_id   BYTEA   NOT NULL UNIQUE,
    record          TEXT    NOT NULL,
    sign_count      BIGINT  NOT NULL,
    user_verified   BOOLEAN NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    backup_state    BOOLEAN NOT NULL,
    transports      TEXT    NOT NULL DEFAULT '',
    attachment      TEXT    NOT NULL DEFAULT '',
    aaguid          BYTEA   NOT NULL,
    added_at        BIGINT  NOT NULL,
    last_used_at    BIGINT,
    clone_warned_at BIGINT
);
CREATE INDEX webauthn_keys_of_user ON webauthn_keys (user_id);

-- holder is the stable id of a session or of a pending sign-in, and no foreign key.
CREATE TABLE webauthn_challenges (
    id         TEXT   NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    ceremony   TEXT   NOT NULL CHECK (ceremony IN ('register', 'sign_in', 'proof')),
    holder     TEXT   NOT NULL,
    challenge  BYTEA  NOT NULL UNIQUE,
    data       TEXT   NOT NULL,
    network    TEXT   NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX webauthn_challenges_of_user ON webauthn_challenges (user_id, network, expires_at);
CREATE INDEX webauthn_challenges_by_expiry ON webauthn_challenges (expires_at);
