-- People, how they are found, and the one row about the installation itself.
-- Every time is milliseconds since 1970 UTC; every key of a person is a ULID.

-- +goose Up
CREATE TABLE users (
    id                  TEXT    NOT NULL PRIMARY KEY,
    name                TEXT    NOT NULL,
    email               TEXT    NOT NULL,
    email_key           TEXT    NOT NULL UNIQUE,
    sort_name           BYTEA   NOT NULL,
    role                TEXT    NOT NULL CHECK (role IN ('member', 'administrator')),
    password_hash       TEXT    NOT NULL,
    password_changed_at BIGINT  NOT NULL,
    requirement         TEXT    NOT NULL DEFAULT 'allowed' CHECK (requirement IN ('off', 'allowed', 'required')),
    deadline            BIGINT,
    disabled_at         BIGINT,
    mfa_since           BIGINT,
    enrolments_begun    INTEGER NOT NULL DEFAULT 0,
    created_at          BIGINT  NOT NULL,
    last_sign_in_at     BIGINT
);

-- The user list pages by (sort_name, id) or by email_key, all of it or under one filter.
-- A filter on mfa_since asks for NULL or NOT NULL only, hence the partial indexes.
CREATE INDEX users_by_name ON users (sort_name, id);
CREATE INDEX users_by_role_name ON users (role, sort_name, id);
CREATE INDEX users_by_role_email ON users (role, email_key);
CREATE INDEX users_protected_by_name ON users (sort_name, id) WHERE mfa_since IS NOT NULL;
CREATE INDEX users_protected_by_email ON users (email_key) WHERE mfa_since IS NOT NULL;
CREATE INDEX users_unprotected_by_name ON users (sort_name, id) WHERE mfa_since IS NULL;
CREATE INDEX users_unprotected_by_email ON users (email_key) WHERE mfa_since IS NULL;

-- The words of a name and an e-mail address, folded, for search by prefix.
CREATE TABLE user_terms (
    term    BYTEA NOT NULL,
    user_id TEXT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (term, user_id)
);
CREATE INDEX user_terms_of_user ON user_terms (user_id);

CREATE TABLE installation (
    id                     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    first_administrator_at BIGINT,
    created_at             BIGINT  NOT NULL
);
INSERT INTO installation (id, created_at) VALUES (1, 0);

CREATE TABLE setup_links (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX setup_links_by_expiry ON setup_links (expires_at);

-- Which keys of the key ring this database needs; the keys themselves are never here.
CREATE TABLE data_keys (
    key_id        BIGINT NOT NULL PRIMARY KEY,
    first_used_at BIGINT NOT NULL
);
