-- What readers say about articles of the help.

-- +goose Up
-- visitor is the SHA-256 of a random cookie and the article: one vote a visitor and article, and no way to tell which votes
-- are of one person. No foreign key: an article is a file.
CREATE TABLE help_votes (
    id       TEXT    NOT NULL PRIMARY KEY,
    article  TEXT    NOT NULL,
    locale   TEXT    NOT NULL,
    visitor  BYTEA   NOT NULL,
    helpful  BOOLEAN NOT NULL,
    at       BIGINT  NOT NULL,
    sentence TEXT,
    done_at  BIGINT,
    UNIQUE (article, visitor)
);
CREATE INDEX help_votes_by_time ON help_votes (at);
CREATE INDEX help_sentences_open ON help_votes (id) WHERE sentence IS NOT NULL AND done_at IS NULL;
CREATE INDEX help_sentences_done ON help_votes (id) WHERE sentence IS NOT NULL AND done_at IS NOT NULL;
