-- Where browsers reach the server that ran last: links of the console lead there where nobody says otherwise.

-- +goose Up
ALTER TABLE installation ADD COLUMN public_url TEXT NOT NULL DEFAULT '';
