-- Whoever is found by a word is found together with their place in the list, so that a search of a word that thousands
-- have sorts what it reads from one index, and reads nobody of whom nothing is shown.

-- +goose Up
-- Both keys are those of the person's row, whoever changes the one changes the other. Whoever reads the people of a word
-- reads the first index alone, whoever asks a person for a word the second.
CREATE TABLE user_terms_again (
    term      BYTEA NOT NULL,
    user_id   TEXT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sort_name BYTEA NOT NULL,
    email_key TEXT  NOT NULL
);
INSERT INTO user_terms_again SELECT t.term, t.user_id, u.sort_name, u.email_key FROM user_terms AS t JOIN users AS u ON u.id = t.user_id;
DROP TABLE user_terms;
ALTER TABLE user_terms_again RENAME TO user_terms;
CREATE INDEX user_terms_in_order ON user_terms (term, sort_name, user_id, email_key);
CREATE UNIQUE INDEX user_terms_of_user ON user_terms (user_id, term);
