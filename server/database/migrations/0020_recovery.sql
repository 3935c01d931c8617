-- The lines by which a person's identity is made sure of, and whom a request waited for.

-- +goose Up
-- JSON; empty while nobody has changed them.
ALTER TABLE installation ADD COLUMN recovery_checklist TEXT NOT NULL DEFAULT '';
-- When administrators were told that they can decide.
ALTER TABLE recoveries ADD COLUMN told_at BIGINT;
