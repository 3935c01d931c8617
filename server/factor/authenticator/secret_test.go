package authenticator_test

import (
	"bytes"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/servertest"
)

func number(n int64) string { return strconv.FormatInt(n, 10) }

// oathtool is an independent witness of what an app shows.
func oathtool(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	command := exec.Command("oathtool", "--totp", "--base32", "--now="+at.UTC().Format("2006-01-02 15:04:05 UTC"), "-")
	command.Stdin = strings.NewReader(secret + "\n")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("oathtool (Debian package oathtool) is needed as a witness: %v", err)
	}
	return strings.TrimSpace(string(out))
}

func TestCodesOfOathtoolAreAccepted(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", "ada@example.test", "member")
		browser := in.Browser(servertest.Firefox)
		browser.Password("ada@example.test").Want(200)
		begun := browser.Do("POST", servertest.Enrolments, nil).Want(201)
		secret, id := begun.Text("secret"), begun.Text("id")
		browser.Confirm(id, oathtool(t, secret, in.Clock.Now())).Want(200)
		browser.Do("POST", servertest.Enrolments+"/"+id+"/activate", nil).Want(200)
		in.Clock.NextStep()
		other := in.Browser(servertest.Safari)
		other.Password("ada@example.test").Want(200)
		other.Code(oathtool(t, secret, in.Clock.Now())).Want(200)
		in.Clock.NextStep()
		browser.Prove(oathtool(t, secret, in.Clock.Now())).Want(200)
	})
}

func TestRow15SeedsAreTheServers(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", "ada@example.test", "member")
		browser := in.Browser(servertest.Firefox)
		browser.Password("ada@example.test").Want(200)
		own := &servertest.Phone{Secret: []byte("AAAAAAAAAAAAAAAAAAAA")}
		for _, field := range []string{"secret", "otpauth_uri", "key"} {
			browser.Do("POST", servertest.Enrolments, map[string]string{field: "IFAUCQKBIFAUCQKBIFAUCQKBIFAUCQKB"}).Refused(400, "unknown_field")
		}
		begun := browser.Do("POST", servertest.Enrolments, nil).Want(201)
		browser.Confirm(begun.Text("id"), totp.Code(own.Secret, totp.Step(in.Clock.Now()))).Diagnosed("wrong_code")

		seen := map[string]bool{}
		for range 19 { // with the one above as many as there may be within an hour
			secret := browser.Do("POST", servertest.Enrolments, nil).Want(201).Text("secret")
			if raw := in.Scan(secret).Secret; len(raw) != 20 || strings.Contains(secret, "=") {
				t.Errorf("%d bytes", len(raw))
			}
			seen[secret] = true
		}
		if len(seen) != 19 {
			t.Errorf("%d distinct seeds of 19", len(seen))
		}
	})
}

func TestRow16TwoPhases(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		t.Run("bound to the session that began it", func(t *testing.T) {
			in := in.For(t)
			in.AddPerson("Eve", "eve@example.test", "member")
			a, b := in.Browser(servertest.Firefox), in.Browser(servertest.Safari)
			a.Password("eve@example.test").Want(200)
			b.Password("eve@example.test").Want(200)
			begun := a.Do("POST", servertest.Enrolments, nil).Want(201)
			phone := in.Scan(begun.Text("secret"))
			seen := b.Do("GET", servertest.Enrolments+"/current", nil).Want(200)
			if seen.Body["secret"] != nil || seen.Body["otpauth_uri"] != nil || seen.Body["here"] != false {
				t.Errorf("another session sees %s", seen.Raw)
			}
			b.Confirm(begun.Text("id"), phone.Code()).Diagnosed("enrolment_expired")
			b.Do("POST", servertest.Enrolments+"/"+begun.Text("id")+"/activate", nil).Refused(409, "enrolment_not_confirmed")
			a.Confirm(begun.Text("id"), phone.Code()).Want(200)
		})
		t.Run("sealed in the database", func(t *testing.T) {
			in := in.For(t)
			in.AddPerson("Eve", "sealed@example.test", "member")
			browser := in.Browser(servertest.Firefox)
			browser.Password("sealed@example.test").Want(200)
			secret := browser.Do("POST", servertest.Enrolments, nil).Want(201).Text("secret")
			nowhere(t, in, secret)
		})
		t.Run("over a live factor only with fresh proof", func(t *testing.T) {
			in := in.For(t)
			ada := protected(in, "ada")
			session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
			in.Clock.Advance(10 * time.Minute)
			session.Do("POST", servertest.Enrolments, map[string]string{"replaces": ada.ID}).Refused(403, "fresh_proof_required")
			session.Do("GET", servertest.Enrolments+"/current", nil).Refused(404, "no_enrolment")
			session.Prove(ada.Code()).Want(200)
			session.Do("POST", servertest.Enrolments, map[string]string{"replaces": ada.ID}).Want(201)
			in.Clock.NextStep()
			ada.signIn(ada.Code()).Want(200) // the old one is the live one until the new one is confirmed
		})
	})
}

func TestRow17TheSeedIsSeenOnce(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		email := "x&secret=AAAA@example.test"
		in.AddPerson("x&secret=AAAA", email, "administrator")
		browser := in.Browser(servertest.Firefox)
		browser.Password(email).Want(200)
		begun := browser.Do("POST", servertest.Enrolments, nil).Want(201)
		again := browser.Do("GET", servertest.Enrolments+"/current", nil).Want(200)
		secret, id := begun.Text("secret"), begun.Text("id")
		for _, answer := range []*servertest.Answer{begun, again} {
			if answer.Header.Get("Cache-Control") != "no-store" || answer.Text("secret") != secret {
				t.Errorf("%q %s", answer.Header.Get("Cache-Control"), answer.Raw)
			}
			uri, err := url.Parse(answer.Text("otpauth_uri"))
			if err != nil {
				t.Fatal(err)
			}
			query := uri.Query()
			if len(query["secret"]) != 1 || query.Get("secret") != secret || query.Get("issuer") != "x&secret=BBBB" ||
				uri.Path != "/x&secret=BBBB:"+email {
				t.Errorf("the QR code holds %s", uri)
			}
		}
		confirmed := browser.Confirm(id, in.Scan(secret).Code()).Want(200)
		after := browser.Do("GET", servertest.Enrolments+"/current", nil).Want(200)
		if after.Body["secret"] != nil || after.Body["otpauth_uri"] != nil || after.Body["state"] != "confirmed" {
			t.Errorf("after its confirmation: %s", after.Raw)
		}
		activated := browser.Do("POST", servertest.Enrolments+"/"+id+"/activate", nil).Want(200)
		answers := []*servertest.Answer{confirmed, after, activated}
		for _, path := range []string{"/api/v1/session", "/api/v1/users", "/api/v1/users/me", servertest.Security, servertest.Enrolments + "/current"} {
			answers = append(answers, browser.Do("GET", path, nil))
		}
		browser.Do("POST", servertest.Security+"/disable", map[string]string{"password": servertest.Password}).Want(200)
		nowhere(t, in, secret, answers...)
	}, servertest.Options{Brand: "x&secret=BBBB"})
}

// nowhere fails the test where a seed is found in an answer, in a log line, in the database or in a file, written in
// any of the ways in which it could be.
func nowhere(t *testing.T, in *servertest.Installation, secret string, answers ...*servertest.Answer) {
	t.Helper()
	raw, err := base32.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	forms := [][]byte{
		raw, []byte(secret), []byte(strings.ToLower(secret)), []byte(hex.EncodeToString(raw)),
		[]byte(strings.ToUpper(hex.EncodeToString(raw))), []byte(base64.RawStdEncoding.EncodeToString(raw)), []byte(base64.RawURLEncoding.EncodeToString(raw)),
	}
	look := func(where string, content []byte) {
		for _, form := range forms {
			if bytes.Contains(content, form) {
				t.Errorf("the seed is in %s", where)
			}
		}
	}
	for _, answer := range answers {
		look("an answer", answer.Raw)
	}
	look("the log", []byte(in.First().Log.String()))
	for name, content := range in.Files() {
		look(name, content)
	}
	if in.Postgres {
		for _, table := range in.Column("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") {
			look(table, []byte(strings.Join(in.Column("SELECT r::text FROM "+table+" AS r"), "\n")))
		}
	}
}

func TestRow61SecretsAreBoundToTheirRows(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada, bob := protected(in, "ada"), protected(in, "bob")
		sessions := func() int { return len(in.Column("SELECT id FROM sessions")) }

		t.Run("swapped between people", func(t *testing.T) {
			in := in.For(t)
			ofAda, ofBob := sealed(t, in, "totp_apps", ada.ID), sealed(t, in, "totp_apps", bob.ID)
			in.Change("UPDATE totp_apps SET secret = ? WHERE id = ?", ofBob, ada.ID)
			in.Change("UPDATE totp_apps SET secret = ? WHERE id = ?", ofAda, bob.ID)
			for _, phone := range []*servertest.Phone{ada.Phone, bob.Phone} {
				answer := ada.signIn(phone.Code()).Refused(500, "internal_fault")
				if answer.Body["diagnosis"] != nil {
					t.Errorf("%s", answer.Raw)
				}
			}
			if sessions() != 0 {
				t.Errorf("%d sessions", sessions())
			}
			if faults := in.Column("SELECT kind FROM events WHERE result = 'fault'"); len(faults) != 2 {
				t.Errorf("events %v", faults)
			}
			in.Change("UPDATE totp_apps SET secret = ? WHERE id = ?", ofAda, ada.ID)
			in.Change("UPDATE totp_apps SET secret = ? WHERE id = ?", ofBob, bob.ID)
			ada.signIn(ada.Code()).Want(200)
			bob.signIn(bob.Code()).Want(200)
			in.Clock.NextStep()
		})
		t.Run("swapped between columns", func(t *testing.T) {
			in := in.For(t)
			session := in.SignedIn(ada.email, ada.Enrolled, servertest.Firefox)
			begun := session.Do("POST", servertest.Enrolments, map[string]string{"replaces": ada.ID}).Want(201)
			id, phone := begun.Text("id"), in.Scan(begun.Text("secret"))
			pending := sealed(t, in, "totp_enrolments", id)
			session.Confirm(id, phone.Code()).Want(200)
			if active := sealed(t, in, "totp_apps", id); bytes.Equal(pending, active) {
				t.Error("the same secret has the same bytes in two columns")
			}
			// What lay in the enrolment's column opens in the app's no more.
			in.Change("UPDATE totp_apps SET secret = ? WHERE id = ?", pending, id)
			in.Clock.NextStep()
			ada.signIn(phone.Code()).Refused(500, "internal_fault")
			// Nor does a retired secret.
			in.Change("UPDATE totp_apps SET secret = (SELECT r.secret FROM totp_retired AS r WHERE r.id = ?) WHERE id = ?", ada.ID, id)
			ada.signIn(ada.Code()).Refused(500, "internal_fault")
		})
	})
}

// sealed reads a secret as it lies in the database.
func sealed(t *testing.T, in *servertest.Installation, table, id string) []byte {
	t.Helper()
	text := "lower(hex(secret))"
	if in.Postgres {
		text = "encode(secret, 'hex')"
	}
	found := in.Column("SELECT "+text+" FROM "+table+" WHERE id = ?", id)
	if len(found) != 1 {
		t.Fatalf("%d rows of %s", len(found), table)
	}
	raw, err := hex.DecodeString(found[0])
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
