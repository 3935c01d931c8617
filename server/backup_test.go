package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/backup"
	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/servertest"
)

// TestRestoreEndsWhatWas is issue 5, section 5: after a restore nobody is in, nothing goes on, and nothing that may have
// been used since is good again.
func TestRestoreEndsWhatWas(t *testing.T) {
	t.Parallel()
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		ada := in.Protected(adaEmail, "administrator")
		signedIn := in.SignedIn(adaEmail, ada, servertest.Firefox)
		pending := in.Browser(servertest.Safari)
		pending.Password(adaEmail).Want(http.StatusOK)
		in.AddPerson("Bob", "bob@example.test", "member")
		bob := in.Browser(servertest.Firefox)
		bob.Password("bob@example.test").Want(http.StatusOK)
		bob.Do("POST", servertest.Enrolments, map[string]string{}).Want(http.StatusCreated)

		in.Change("INSERT INTO enrolment_links (user_id, token_hash, created_at, expires_at) SELECT id, ?, 0, ? FROM users WHERE email = 'bob@example.test'",
			[]byte("a link"), in.Clock.Now().Add(time.Hour).UnixMilli())

		in.Change("INSERT INTO email_changes (user_id, token_hash, email, asked_by, created_at, expires_at) SELECT id, ?, 'rob@example.test', id, 0, ? FROM users WHERE email = 'bob@example.test'",
			[]byte("a link"), in.Clock.Now().Add(time.Hour).UnixMilli())
		in.Change("INSERT INTO stops (user_id, token_hash, kind, email, created_at, expires_at) SELECT id, ?, 'email', 'before@example.test', 0, ? FROM users WHERE email = 'bob@example.test'",
			[]byte("a link"), in.Clock.Now().Add(time.Hour).UnixMilli())
		invited := signedIn.Do("POST", "/api/v1/users", map[string]string{"name": "Nia", "email": "nia@example.test", "role": "member"}).Want(http.StatusCreated)
		_, invitation, _ := strings.Cut(invited.Text("invitation_link"), "#token=")

		in.Change("INSERT INTO password_links (token_hash, user_id, email_key, created_at, expires_at) SELECT ?, id, email_key, 0, ? FROM users WHERE email = 'bob@example.test'",
			[]byte("a link"), in.Clock.Now().Add(time.Hour).UnixMilli())
		in.Change("INSERT INTO password_asks (id, user_id, created_at, browser, address, request_id) SELECT 'an ask', id, 0, '', '', '' FROM users WHERE email = 'bob@example.test'")

		in.Change("INSERT INTO tickets (id, reference, kind, user_id, state, created_at, updated_at) SELECT 'a ticket', 'a reference', 'recovery', id, 'open', 0, 0 FROM users WHERE email = 'bob@example.test'")
		in.Change("INSERT INTO recoveries (ticket_id, user_id, state, asked_at, proof_hash, expires_at) SELECT 'a ticket', id, 'approved', 0, ?, ? FROM users WHERE email = 'bob@example.test'",
			[]byte("a link"), in.Clock.Now().Add(time.Hour).UnixMilli())
		in.Change("UPDATE users SET recovery = 'approved' WHERE email = 'bob@example.test'")

		saved := in.Backup()
		if !in.Postgres {
			since := in.Browser(servertest.Safari)
			since.Password(adaEmail).Want(http.StatusOK)
			since.Code(ada.Codes[0]).Want(http.StatusOK)
		}
		shown := ada.Code() // before the restore, and never used

		restored := in.Restored(saved)
		for _, old := range []*servertest.Client{signedIn, bob} {
			old.On(restored.First()).Do("GET", "/api/v1/session", nil).Want(http.StatusUnauthorized)
		}
		pending.On(restored.First()).Code(shown).Diagnosed("sign_in_expired")

		for _, table := range []string{"email_changes", "stops"} {
			if links := restored.Column("SELECT user_id FROM " + table); len(links) > 0 {
				t.Errorf("a link of %s lives on", table)
			}
		}
		if links := restored.Column("SELECT user_id FROM enrolment_links"); len(links) > 0 {
			t.Error("an enrolment link lives on")
		}
		if links := restored.Column("SELECT user_id FROM password_links WHERE ended_at IS NULL UNION ALL SELECT user_id FROM password_asks"); len(links) > 0 {
			t.Error("a link for a forgotten password lives on")
		}
		if left := restored.Column("SELECT id FROM users WHERE recovery <> '' UNION ALL SELECT ticket_id FROM recoveries WHERE state <> 'cancelled' OR proof_hash IS NOT NULL UNION ALL SELECT id FROM tickets WHERE state <> 'solved'"); len(left) > 0 {
			t.Error("a request to get back in lives on")
		}
		restored.Browser(servertest.Firefox).Do("POST", "/api/v1/join", map[string]string{"token": invitation, "password": servertest.Password}).
			Refused(http.StatusGone, "invitation_replaced")

		again := restored.Browser(servertest.Firefox)
		again.Password("bob@example.test").Want(http.StatusOK)
		again.Do("GET", servertest.Enrolments+"/current", nil).Want(http.StatusNotFound)

		back := restored.Browser(servertest.Firefox)
		back.Password(adaEmail).Want(http.StatusOK)
		for _, void := range []string{shown, ada.Codes[0], ada.Codes[1]} {
			back.Code(void).Refused(http.StatusUnprocessableEntity, "code_refused")
		}
		in.Clock.NextStep() // the window lets a code be given a step early, so that one is void too
		in.Clock.NextStep()
		back.Code(ada.Code()).Want(http.StatusOK)
		page := back.Do("GET", servertest.Security, nil).Want(http.StatusOK)
		if left := page.Body["mfa"].(map[string]any)["backup_codes"].(map[string]any)["remaining"]; left != 0.0 {
			t.Errorf("%v backup codes are left", left)
		}
		if found := back.Do("GET", "/api/v1/users?protection=few_codes", nil).Want(http.StatusOK); found.Body["total"] != 1.0 {
			t.Errorf("nobody is told that Ada has no backup codes: %s", found.Raw)
		}
		if kinds := restored.Column("SELECT kind FROM events WHERE browser = 'console' ORDER BY id"); strings.Join(kinds, " ") != "recovery.cancelled installation.restored backup_codes.voided" {
			t.Errorf("on record: %v", kinds)
		}
		in.Clock.NextStep()
		back.Do("POST", servertest.Security+"/backup-codes", map[string]string{"password": servertest.Password}).Want(http.StatusOK)
	})
}

// TestBackupWhilePeopleSignIn takes a backup beside writers: it is one consistent moment.
func TestBackupWhilePeopleSignIn(t *testing.T) {
	t.Parallel()
	in := servertest.OnSQLite(t)
	enrolled := in.Protected(adaEmail, "administrator")
	browsers := make([]*servertest.Client, 9)
	for n := range browsers {
		browsers[n] = in.Browser(servertest.Firefox)
		browsers[n].Password(adaEmail).Want(http.StatusOK)
	}
	var saved string
	servertest.Together(len(browsers), func(n int) {
		if n == 0 {
			saved = in.Backup()
			return
		}
		browsers[n].Code(enrolled.Codes[n]).Want(http.StatusOK)
	})
	restored := in.Restored(saved)
	// Each spent code has the event of its sign-in: both or neither are in the copy.
	spent := restored.Column("SELECT id FROM backup_codes WHERE used_at IS NOT NULL")
	told := restored.Column("SELECT id FROM events WHERE kind = 'sign_in.second_step' AND method = 'backup_code' AND result = 'ok'")
	if len(spent) != len(told) {
		t.Errorf("%d codes are spent, %d sign-ins are on record", len(spent), len(told))
	}
}

// TestKilledWhileRestoring kills a restore at many moments: there is the whole installation or none, and the same command
// then ends well.
func TestKilledWhileRestoring(t *testing.T) {
	t.Parallel()
	in := servertest.OnSQLite(t)
	in.Protected(adaEmail, "administrator")
	saved := in.Backup()
	folder := t.TempDir()
	whole := func(data string) bool {
		_, err := os.Stat(filepath.Join(data, "secondstep.db"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		return err == nil
	}
	broken := 0
	for n := range 24 {
		data := filepath.Join(folder, string(rune('a'+n)))
		killed := program("restore", saved, "--data", data)
		if err := killed.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(time.Duration(4*n)*time.Millisecond, func() { killed.Process.Kill() })
		_ = killed.Wait() // killed, or quicker than that
		timer.Stop()
		if !whole(data) {
			broken++
			if printed, err := program("restore", saved, "--data", data).CombinedOutput(); err != nil {
				t.Fatalf("after a kill: %v: %s", err, printed)
			}
			if _, err := os.Stat(filepath.Join(data, "restoring")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("left behind: %v", err)
			}
		}
		printed, err := program("user", "list", "--data", data).CombinedOutput()
		if err != nil || !bytes.Contains(printed, []byte(adaEmail)) {
			t.Fatalf("%v: %s", err, printed)
		}
	}
	if broken == 0 {
		t.Error("every restore was quicker than its kill: nothing was tested")
	}
}

// TestRestoreUnderEveryMigration restores a backup of each schema that there has been.
func TestRestoreUnderEveryMigration(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("database/migrations/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	upTo := fstest.MapFS{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		upTo[filepath.Base(name)] = &fstest.MapFile{Data: text}
		t.Run(filepath.Base(name), func(t *testing.T) {
			old := filepath.Join(t.TempDir(), "old.db")
			made(t, old, upTo)
			file := filepath.Join(t.TempDir(), "backup.zip")
			if err := backup.Write(file, backup.Manifest{Version: "old", MadeAt: time.Now()}, old, nil); err != nil {
				t.Fatal(err)
			}
			restored, err := server.Restore(t.Context(), server.Config{
				Data: t.TempDir(), Version: "test", Brand: "MailMachine", PasswordCost: hashing.Passwords, BackupCodeCost: hashing.BackupCodes,
				Now: time.Now, Random: rand.Reader, Logger: slog.New(slog.DiscardHandler),
			}, file)
			if err != nil || restored.People != 1 {
				t.Errorf("%+v, %v", restored, err)
			}
		})
	}
}

// made is a database of one person under the migrations given.
func made(t *testing.T, path string, migrations fs.FS) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, migrations, goose.WithTableName("schema_versions"), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(context.Background()); err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), `INSERT INTO users (id, name, email, email_key, sort_name, role, password_hash, password_changed_at, created_at)
		VALUES ('01', 'Ada', 'ada@example.test', 'ada@example.test', x'61', 'member', '', 0, 0)`)
	if err != nil {
		t.Fatal(err)
	}
}
