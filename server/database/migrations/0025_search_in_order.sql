-- Whoever is found by a word is found in the order of the list, so that a search of a word that thousands have reads none
-- but those whom it shows.

-- +goose Up
-- Both keys are those of the person's row: whoever changes the one changes the other. Whole addresses stand apart from
-- words, or each would stand among those that begin like it. The people of a word are read from the first index alone;
-- whoever asks a person for a word reads the second.
CREATE TABLE user_terms_again (
    address   BOOLEAN NOT NULL,
    term      BYTEA   NOT NULL,
    user_id   TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sort_name BYTEA   NOT NULL,
    email_key TEXT    NOT NULL
);
-- A term is an address where it has an @: as text, or in PostgreSQL as the hexadecimal digits of one.
INSERT INTO user_terms_again
    SELECT CAST(t.term AS TEXT) LIKE '%@%' OR (SUBSTR(CAST(t.term AS TEXT), 1, 2) = '\x' AND CAST(t.term AS TEXT) LIKE '%40%'),
        t.term, t.user_id, u.sort_name, u.email_key
    FROM user_terms AS t JOIN users AS u ON u.id = t.user_id;
DROP TABLE user_terms;
ALTER TABLE user_terms_again RENAME TO user_terms;
CREATE INDEX user_terms_in_order ON user_terms (address, term, sort_name, user_id, email_key);
CREATE UNIQUE INDEX user_terms_of_user ON user_terms (user_id, term);
