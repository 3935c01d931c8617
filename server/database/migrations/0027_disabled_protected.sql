-- The Protection page takes off who is disabled and has 2-step verification on, without reading everybody's row.

-- +goose Up
CREATE INDEX users_disabled_protected ON users (mfa_since) WHERE disabled_at IS NOT NULL;
