-- Whoever goes on with a setup later, from another page or browser, still reads what it is for.

-- +goose Up
ALTER TABLE totp_enrolments ADD COLUMN lost BOOLEAN NOT NULL DEFAULT FALSE;
