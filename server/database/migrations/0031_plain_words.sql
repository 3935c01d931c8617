-- Whoever has an accent in their name is found without it too. The words are made by the program: those who are here already
-- wait to be indexed anew, a few at a time.

-- +goose Up
CREATE TABLE people_to_index (user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE);
INSERT INTO people_to_index SELECT id FROM users WHERE OCTET_LENGTH(name) <> LENGTH(name) OR OCTET_LENGTH(email) <> LENGTH(email);
