-- The audit log: each of its filters by an index, and the Merkle log that seals the events.

-- +goose Up
-- A page is read along one of these and the id, which sorts by time: hence no index by time. What says little, because
-- most events have it or have nothing there, is left out of them.
DROP INDEX events_by_time;
CREATE INDEX events_by ON events (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX events_of_kind ON events (kind, id);
CREATE INDEX events_not_ok ON events (result, id) WHERE result <> 'ok';
CREATE INDEX events_from ON events (address, id) WHERE address <> '';

-- Rows of these three are only ever added, and a position is given once: so whoever seals needs no other right than to
-- add, and of two that seal at once one gets the position.
CREATE TABLE seal_leaves (
    position BIGINT  NOT NULL PRIMARY KEY,
    event_id TEXT    NOT NULL UNIQUE,
    version  INTEGER NOT NULL
);
-- The hashes of golang.org/x/mod/sumdb/tlog, by its numbers.
CREATE TABLE seal_hashes (
    position BIGINT NOT NULL PRIMARY KEY,
    hash     BYTEA  NOT NULL
);
-- What the tree was at a size, signed with a key that is never in the database.
CREATE TABLE seal_heads (
    size      BIGINT NOT NULL,
    key_id    BIGINT NOT NULL,
    signature BYTEA  NOT NULL,
    PRIMARY KEY (size, key_id)
);
