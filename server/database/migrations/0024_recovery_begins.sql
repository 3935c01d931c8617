-- Administrators hear of a request to get back in as its waiting period begins, too, so that they can use it.

-- +goose Up
ALTER TABLE recoveries ADD COLUMN begun_told_at BIGINT;
-- Those that are under way are no news.
UPDATE recoveries SET begun_told_at = asked_at;
