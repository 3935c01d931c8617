-- Asking a person for a word reads the index alone: the term is in it.

-- +goose Up
DROP INDEX user_terms_of_user;
CREATE INDEX user_terms_of_user ON user_terms (user_id, term);
