package server_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

// storedSecrets are the values of the columns that no answer may show (security.md row 60).
func storedSecrets(in *servertest.Installation) map[string][][]byte {
	found := map[string][][]byte{}
	for _, column := range []string{
		"users.password_hash", "sessions.token_hash", "sessions.browser_id", "pending_sign_ins.token_hash", "setup_links.token_hash", "enrolment_links.token_hash", "invitations.token_hash", "password_links.token_hash", "email_changes.token_hash", "stops.token_hash",
		"password_tries.key", "totp_apps.secret", "totp_enrolments.secret", "totp_retired.secret", "backup_codes.hash", "outbox.link",
	} {
		table, name, _ := strings.Cut(column, ".")
		text := "hex(" + name + ")"
		if in.Postgres {
			text = "encode(" + name + ", 'hex')"
		}
		plain := name == "password_hash" || name == "hash"
		if plain {
			text = name
		}
		for _, value := range in.Column("SELECT " + text + " FROM " + table + " WHERE length(" + name + ") > 0") {
			raw := []byte(value)
			if !plain {
				raw, _ = hex.DecodeString(value)
			}
			found[column] = append(found[column], raw)
		}
	}
	return found
}

// TestStoredValuesAreNoCredentials is rows 19 and 30: whoever reads the database has nothing to sign in with.
func TestStoredValuesAreNoCredentials(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		unused := in.First().SetupToken()
		raw, err := base64.RawURLEncoding.DecodeString(unused)
		if err != nil || len(raw) != 32 {
			t.Fatalf("a setup token of %d bytes", len(raw))
		}
		thief := in.Browser(servertest.Safari)
		person := map[string]string{"name": "Eve", "email": "eve@example.test", "password": servertest.Password}
		for _, stored := range storedSecrets(in)["setup_links.token_hash"] {
			person["token"] = base64.RawURLEncoding.EncodeToString(stored)
			thief.Do("POST", "/api/v1/setup", person).Refused(http.StatusGone, "setup_link_expired")
		}
		ada := in.Protected("ada@example.test", "administrator")
		owner := in.SignedIn("ada@example.test", ada, servertest.Firefox)
		pending := in.Browser(servertest.Firefox)
		pending.Password("ada@example.test").Want(http.StatusOK)

		stored := storedSecrets(in)
		for _, column := range []string{"sessions.token_hash", "sessions.browser_id", "pending_sign_ins.token_hash"} {
			if len(stored[column]) == 0 {
				t.Fatalf("nothing in %s", column)
			}
			for _, value := range stored[column] {
				thief.Plant("secondstep_session", base64.RawURLEncoding.EncodeToString(value))
				thief.Do("GET", "/api/v1/session", nil).Refused(http.StatusUnauthorized, "session_ended")
				thief.Plant("secondstep_pending", base64.RawURLEncoding.EncodeToString(value))
				thief.Do("GET", "/api/v1/sign-in", nil).Diagnosed("sign_in_expired")
				thief.Code(ada.Code()).Diagnosed("sign_in_expired")
			}
		}
		thief.Do("POST", "/api/v1/sign-in", map[string]string{"email": "ada@example.test", "password": string(stored["users.password_hash"][0])}).
			Refused(http.StatusUnauthorized, "bad_credentials")

		// What is stored of a backup code is of no use in any part or spelling. What has the shape of one is counted and
		// compared, and is wrong; the rest is no code at all.
		before := in.Column("SELECT id FROM backup_codes WHERE used_at IS NOT NULL")
		for n, hash := range stored["backup_codes.hash"] {
			selector := in.Column("SELECT selector FROM backup_codes WHERE hash = ?", string(hash))[0]
			parts := strings.Split(string(hash), "$")
			key := parts[len(parts)-1]
			for _, value := range []string{string(hash), key, selector + key, selector, selector + string(hash)} {
				pending.Code(value).Diagnosed("malformed")
			}
			if n == 0 {
				pending.Code(selector+strings.Repeat("0", 13)).Refused(http.StatusUnprocessableEntity, "code_refused")
				pending.Code(selector+key[:13]).Refused(http.StatusUnprocessableEntity, "code_refused")
			}
		}
		if after := in.Column("SELECT id FROM backup_codes WHERE used_at IS NOT NULL"); len(after) != len(before) {
			t.Errorf("%d backup codes were used up", len(after))
		}
		pending.Code(ada.Codes[0]).Want(http.StatusOK)
		owner.Do("GET", "/api/v1/session", nil).Want(http.StatusOK)
	})
}
