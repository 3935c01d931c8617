-- Requests for help, those among them that ask for a way back in, and what was decided of these.

-- +goose Up
-- A ticket is seen by the support once its address is proved: until then it is unproved, and goes when expires_at has
-- come. user_id is of whoever was signed in, or has proved the address that an account has; a stranger has none. Its key
-- opens it for whoever wrote it, without signing in: only its hash is here.
CREATE TABLE tickets (
    id         TEXT   NOT NULL PRIMARY KEY,
    reference  TEXT   NOT NULL UNIQUE,
    kind       TEXT   NOT NULL CHECK (kind IN ('help', 'recovery')),
    user_id    TEXT   REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT   NOT NULL DEFAULT '',
    email      TEXT   NOT NULL DEFAULT '',
    email_key  TEXT   NOT NULL DEFAULT '',
    subject    TEXT   NOT NULL DEFAULT '',
    state      TEXT   NOT NULL CHECK (state IN ('unproved', 'open', 'waiting', 'solved')),
    key_hash   BYTEA  UNIQUE,
    browser    TEXT   NOT NULL DEFAULT '',
    address    TEXT   NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX tickets_by_state ON tickets (state, updated_at, id);
CREATE INDEX tickets_of_user ON tickets (user_id, id);
CREATE INDEX tickets_by_email ON tickets (email_key, created_at);
CREATE INDEX tickets_by_expiry ON tickets (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE ticket_messages (
    id        TEXT   NOT NULL PRIMARY KEY,
    ticket_id TEXT   NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    author    TEXT   NOT NULL CHECK (author IN ('person', 'support')),
    author_id TEXT   NOT NULL DEFAULT '',
    at        BIGINT NOT NULL,
    body      TEXT   NOT NULL
);
CREATE INDEX ticket_messages_of_ticket ON ticket_messages (ticket_id, id);

-- What a recovery ticket has besides. asked: waits for the proof of the address; proved: waits for its time and for the
-- decision; approved: an enrolment link is out. All others are ends. expires_at is of the state that it is in. browser_id
-- is the SHA-256 of the cookie of the browser that asked.
CREATE TABLE recoveries (
    ticket_id    TEXT   NOT NULL PRIMARY KEY REFERENCES tickets (id) ON DELETE CASCADE,
    user_id      TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    state        TEXT   NOT NULL CHECK (state IN ('asked', 'proved', 'approved', 'done', 'refused', 'stopped', 'cancelled', 'expired')),
    asked_at     BIGINT NOT NULL,
    browser_id   BYTEA,
    proof_hash   BYTEA  UNIQUE,
    proved_at    BIGINT,
    proved_by    TEXT   NOT NULL DEFAULT '' CHECK (proved_by IN ('', 'email', 'session', 'nothing')),
    decidable_at BIGINT,
    expires_at   BIGINT NOT NULL,
    ended_at     BIGINT
);
-- At most one at a time.
CREATE UNIQUE INDEX recoveries_open ON recoveries (user_id) WHERE state IN ('asked', 'proved', 'approved');
CREATE INDEX recoveries_by_expiry ON recoveries (expires_at) WHERE state IN ('asked', 'proved', 'approved');

-- No foreign key to the administrator: what was decided stays, whatever becomes of them.
CREATE TABLE recovery_decisions (
    ticket_id        TEXT    NOT NULL REFERENCES recoveries (ticket_id) ON DELETE CASCADE,
    administrator_id TEXT    NOT NULL,
    approve          BOOLEAN NOT NULL,
    checked          TEXT    NOT NULL,
    reason           TEXT    NOT NULL,
    at               BIGINT  NOT NULL,
    PRIMARY KEY (ticket_id, administrator_id)
);

-- What of a recovery is under way, beside the person, whom every sign-in reads anyhow.
ALTER TABLE users ADD COLUMN recovery TEXT NOT NULL DEFAULT '' CHECK (recovery IN ('', 'asked', 'proved', 'approved'));

-- A recovery can be stopped too. SQLite changes no CHECK of a table that is there.
CREATE TABLE stops_again (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    user_id    TEXT   NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind       TEXT   NOT NULL CHECK (kind IN ('email', 'reset', 'recovery')),
    email      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
INSERT INTO stops_again SELECT token_hash, user_id, kind, email, created_at, expires_at FROM stops;
DROP TABLE stops;
ALTER TABLE stops_again RENAME TO stops;
CREATE INDEX stops_of_user ON stops (user_id, kind);
CREATE INDEX stops_by_expiry ON stops (expires_at);
