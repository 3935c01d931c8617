package server_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/servertest"
)

// console opens the installation as a command does, beside the instances that run, with a ring of the environment
// where one is given.
func console(t *testing.T, in *servertest.Installation, ring string) *server.Server {
	t.Helper()
	opened, err := server.Open(t.Context(), server.Config{
		Data: in.Folder, DatabaseURL: in.URL, Keyring: ring, PasswordCost: servertest.Cheap, BackupCodeCost: servertest.Cheap,
		TOTPWindow: 1, Now: in.Clock.Now, Random: rand.Reader, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opened.Close() })
	return opened
}

func ringFile(in *servertest.Installation) string { return filepath.Join(in.Folder, "keyring.json") }

// ringText is the ring as it lies in the folder.
func ringText(t *testing.T, in *servertest.Installation) string {
	t.Helper()
	text, err := os.ReadFile(ringFile(in))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sealing is the key that seals, and how many secrets each key seals.
func sealing(t *testing.T, in *servertest.Installation) (uint32, map[uint32]int) {
	t.Helper()
	keys, err := console(t, in, "").Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var primary uint32
	secrets := map[uint32]int{}
	for _, key := range keys {
		if key.Seals {
			primary = key.ID
		}
		secrets[key.ID] = key.Secrets
	}
	return primary, secrets
}

var retired = keyring.Column{Purpose: "totp", Table: "totp_retired", Name: "secret"}

// store puts secrets of a person into the database, as many as take several transactions to seal anew.
func store(t *testing.T, in *servertest.Installation, userID string, n int) {
	t.Helper()
	ring, err := keyring.OpenExisting(ringFile(in), "")
	if err != nil {
		t.Fatal(err)
	}
	err = in.First().Database.Write(t.Context(), func(ctx context.Context, tx database.Tx) error {
		return storeOld(ctx, tx, ring, userID, n)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func storeOld(ctx context.Context, tx database.Tx, ring *keyring.Ring, userID string, n int) error {
	for n := range n {
		id := fmt.Sprintf("OLD%05d", n)
		sealed, err := ring.SealIn(ctx, tx, []byte("an old secret "+id), retired.Of(userID, id))
		if err != nil {
			return err
		}
		_, err = tx.NewRaw("INSERT INTO totp_retired (id, user_id, label, name, secret, why, retired_at) VALUES (?, ?, '', '', ?, 'replaced', 0)",
			id, userID, sealed).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

func silent(int, int) {}

// TestRotateKey is row 62: the key changes under load, is interrupted midway, goes on, and the old one is retired only
// when nothing is sealed with it. The instances that run share the ring's file and are told nothing.
func TestRotateKey(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.Beside()
		ada := in.Protected("ada@example.test", "administrator")
		adaID := in.Column("SELECT id FROM users")[0]
		in.AddPerson("Ben", "ben@example.test", "member")
		ben := in.Browser(servertest.Firefox)
		ben.Password("ben@example.test").Want(http.StatusOK)
		begun := ben.Do("POST", servertest.Enrolments, nil).Want(http.StatusCreated)
		const stored = 250
		store(t, in, adaID, stored)
		old, _ := sealing(t, in)

		// Interrupted after the first transaction, as by kill -9.
		ctx, kill := context.WithCancel(t.Context())
		if _, err := console(t, in, "").RotateKey(ctx, func(int, int) { kill() }); !errors.Is(err, context.Canceled) {
			t.Fatalf("it was not interrupted: %v", err)
		}
		key, secrets := sealing(t, in)
		if key == old || secrets[key] == 0 || secrets[old] == 0 {
			t.Fatalf("key %d of old, %d now: %v", old, key, secrets)
		}
		if _, err := console(t, in, "").RetireKey(t.Context(), old); err == nil || !strings.Contains(err.Error(), "still seals stored secrets") {
			t.Fatalf("a key in use was retired: %v", err)
		}
		if _, err := console(t, in, "").RetireKey(t.Context(), key); err == nil || !strings.Contains(err.Error(), "is the one that seals") {
			t.Fatalf("the key that seals was retired: %v", err)
		}

		// It goes on while people sign in and enrol, at instances that were there before the new key was.
		const people = 6
		for n := range people {
			in.AddPerson("Eve", fmt.Sprintf("eve%d@example.test", n), "member")
		}
		phones := make([]*servertest.Phone, people)
		var rotated *server.Rotation
		beside := console(t, in, "")
		servertest.Together(people+2, func(n int) {
			switch n {
			case people:
				var err error
				if rotated, err = beside.RotateKey(t.Context(), silent); err != nil {
					t.Error(err)
				}
			case people + 1:
				browser := in.Browser(servertest.Safari)
				browser.Password("ada@example.test").Want(http.StatusOK)
				browser.Code(ada.Code()).Want(http.StatusOK)
			default:
				browser := in.Browser(servertest.Firefox)
				browser.Password(fmt.Sprintf("eve%d@example.test", n)).Want(http.StatusOK)
				enrolment := browser.Do("POST", servertest.Enrolments, nil).Want(http.StatusCreated)
				phones[n] = in.Scan(enrolment.Text("secret"))
				browser.Confirm(enrolment.Text("id"), phones[n].Code()).Want(http.StatusOK)
				browser.Do("POST", servertest.Enrolments+"/"+enrolment.Text("id")+"/activate", nil).Want(http.StatusOK)
			}
		})
		if rotated.Key != key || rotated.Ring != "" || len(rotated.Unreadable) != 0 {
			t.Errorf("it did not go on: %+v", rotated)
		}
		if now, secrets := sealing(t, in); now != key || secrets[old] != 0 || secrets[key] != stored+2+people {
			t.Errorf("key %d: %v", now, secrets)
		}

		if _, err := console(t, in, "").RetireKey(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		if uses := in.Column("SELECT key_id FROM data_keys"); len(uses) != 1 || uses[0] != fmt.Sprint(key) {
			t.Errorf("used keys %v, want %d", uses, key)
		}
		if info, err := os.Stat(ringFile(in)); err != nil || info.Mode().Perm() != 0o600 || strings.Contains(ringText(t, in), fmt.Sprint(old)) {
			t.Errorf("the ring after it: %v %v", info.Mode(), err)
		}
		for name := range in.Files() {
			if strings.HasPrefix(name, ".keyring") {
				t.Errorf("%s is left behind", name)
			}
		}
		for n, want := range map[string]uint32{"key.rotated": key, "key.retired": old} {
			var data struct{ Key uint32 }
			events := in.Column("SELECT data FROM events WHERE kind = ?", n)
			if len(events) != 1 || json.Unmarshal([]byte(events[0]), &data) != nil || data.Key != want {
				t.Errorf("events of %s: %v, want one of %d", n, events, want)
			}
		}

		// The instances from before, and one that starts now, work with what there is.
		in.Clock.NextStep()
		for n, phone := range phones {
			browser := in.Browser(servertest.Safari)
			browser.Password(fmt.Sprintf("eve%d@example.test", n)).Want(http.StatusOK)
			browser.Code(phone.Code()).Want(http.StatusOK)
		}
		ben.Confirm(begun.Text("id"), in.Scan(begun.Text("secret")).Code()).Want(http.StatusOK)
		in.First().Stop()
		in.Instances = nil
		in.Another()
		in.Clock.NextStep()
		in.SignedIn("ada@example.test", ada, servertest.Firefox)
	})
}

// TestResealLosesToAChange empties a row between the look at it and the write: it stays empty.
func TestResealLosesToAChange(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", "ada@example.test", "member")
		store(t, in, in.Column("SELECT id FROM users")[0], 3)
		beside := console(t, in, "")
		empty := "X''"
		if in.Postgres {
			empty = `'\x'`
		}
		release := in.Open("UPDATE totp_retired SET secret = " + empty + " WHERE id = 'OLD00001'")
		var rotated *server.Rotation
		var err error
		var done sync.WaitGroup
		done.Go(func() { rotated, err = beside.RotateKey(t.Context(), silent) })
		in.Blocked(1)
		release()
		done.Wait()
		if err != nil || rotated.Done != 2 {
			t.Fatalf("%+v %v", rotated, err)
		}
		if left := in.Column("SELECT id FROM totp_retired WHERE length(secret) > 0 ORDER BY id"); len(left) != 2 || left[0] != "OLD00000" {
			t.Errorf("sealed: %v", left)
		}
	})
}

// TestSecretThatDoesNotOpen stops neither the others nor what comes after, and is named.
func TestSecretThatDoesNotOpen(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", "ada@example.test", "member")
		store(t, in, in.Column("SELECT id FROM users")[0], 3)
		old, _ := sealing(t, in)
		in.Change("UPDATE totp_retired SET secret = (SELECT secret FROM totp_retired WHERE id = 'OLD00002') WHERE id = 'OLD00001'")
		rotated, err := console(t, in, "").RotateKey(t.Context(), silent)
		if err != nil || rotated.Done != 2 || fmt.Sprint(rotated.Unreadable) != "[totp_retired OLD00001]" {
			t.Fatalf("%+v %v", rotated, err)
		}
		if _, err := console(t, in, "").RetireKey(t.Context(), old); err == nil {
			t.Error("a key that seals something was retired")
		}
		in.Change("DELETE FROM totp_retired WHERE id = 'OLD00001'")
		if _, err := console(t, in, "").RetireKey(t.Context(), old); err != nil {
			t.Error(err)
		}
	})
}

// TestRetireWaitsForWhoStores lets a secret be sealed with the old key and stored while that key is being retired, by an
// instance with a ring of its own: it counts. After the retirement such an instance stores nothing.
func TestRetireWaitsForWhoStores(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", "ada@example.test", "member")
		userID := in.Column("SELECT id FROM users")[0]
		old, _ := sealing(t, in)
		left, err := keyring.Open("", ringText(t, in)) // as it was, and can't follow
		if err != nil {
			t.Fatal(err)
		}
		if _, err := console(t, in, "").RotateKey(t.Context(), silent); err != nil {
			t.Fatal(err)
		}
		put := func(id string, wait func()) error {
			return in.First().Database.Write(context.Background(), func(ctx context.Context, tx database.Tx) error {
				sealed, err := left.SealIn(ctx, tx, []byte("a secret"), retired.Of(userID, id))
				if err != nil {
					return err
				}
				wait()
				_, err = tx.NewRaw("INSERT INTO totp_retired (id, user_id, label, name, secret, why, retired_at) VALUES (?, ?, '', '', ?, 'replaced', 0)",
					id, userID, sealed).Exec(ctx)
				return err
			})
		}
		sealed, finish := make(chan struct{}), make(chan struct{})
		beside := console(t, in, "")
		var stored, refused error
		var both sync.WaitGroup
		both.Go(func() { stored = put("A", func() { close(sealed); <-finish }) })
		<-sealed
		both.Go(func() { _, refused = beside.RetireKey(context.Background(), old) })
		in.Blocked(1)
		close(finish)
		both.Wait()
		if stored != nil || refused == nil || !strings.Contains(refused.Error(), "still seals stored secrets (1)") {
			t.Fatalf("stored: %v; retired: %v", stored, refused)
		}
		if _, err := console(t, in, "").RotateKey(t.Context(), silent); err != nil {
			t.Fatal(err)
		}
		if _, err := console(t, in, "").RetireKey(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		if err := put("B", func() {}); err == nil || !strings.Contains(err.Error(), "was retired") {
			t.Errorf("stored under a key that is gone: %v", err)
		}
		if rows := in.Column("SELECT id FROM totp_retired"); len(rows) != 1 {
			t.Errorf("stored: %v", rows)
		}
	})
}

// TestRotateKeyOfTheEnvironment hands out the next ring at each step, and changes nothing that its owner must change.
func TestRotateKeyOfTheEnvironment(t *testing.T) {
	servertest.OnBoth(t, func(t *testing.T, in *servertest.Installation) {
		in.AddPerson("Ada", "ada@example.test", "member")
		userID := in.Column("SELECT id FROM users")[0]
		store(t, in, userID, 3)
		first := ringText(t, in)
		old, _ := sealing(t, in)
		rotate := func(ring string) *server.Rotation {
			t.Helper()
			rotation, err := console(t, in, ring).RotateKey(t.Context(), silent)
			if err != nil {
				t.Fatal(err)
			}
			return rotation
		}
		known := rotate(first)
		if known.Ring == "" || known.Seals || known.Key == old || known.Done != 0 {
			t.Fatalf("the first step: %+v", known)
		}
		seals := rotate(known.Ring)
		if seals.Ring == "" || !seals.Seals || seals.Key != known.Key || seals.Done != 0 {
			t.Fatalf("the second step: %+v", seals)
		}
		// An instance that has got no further than the first step reads what one of the second seals.
		behind, err := keyring.Open("", known.Ring)
		if err != nil {
			t.Fatal(err)
		}
		ahead, err := keyring.Open("", seals.Ring)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := ahead.Seal([]byte("a secret"), retired.Of(userID, "A"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := behind.Open(sealed, retired.Of(userID, "A")); err != nil {
			t.Error(err)
		}
		if done := rotate(seals.Ring); done.Ring != "" || done.Key != seals.Key || done.Done != 3 {
			t.Fatalf("the third step: %+v", done)
		}
		last, err := console(t, in, seals.Ring).RetireKey(t.Context(), old)
		if err != nil || last == "" {
			t.Fatal(err)
		}
		keys, err := console(t, in, last).Keys(t.Context())
		if err != nil || len(keys) != 1 || !keys[0].Seals || keys[0].Secrets != 3 || keys[0].Since.IsZero() {
			t.Errorf("%+v %v", keys, err)
		}
		if ringText(t, in) != first {
			t.Error("the file was changed")
		}
	})
}

// TestOneRotationAtOnce refuses a second command that changes the ring's file.
func TestOneRotationAtOnce(t *testing.T) {
	in := servertest.OnSQLite(t)
	in.AddPerson("Ada", "ada@example.test", "member")
	store(t, in, in.Column("SELECT id FROM users")[0], 1)
	other := console(t, in, "")
	refused := false
	if _, err := console(t, in, "").RotateKey(t.Context(), func(int, int) {
		_, err := other.RotateKey(t.Context(), silent)
		refused = err != nil && strings.Contains(err.Error(), "another command is changing the keys")
	}); err != nil || !refused {
		t.Errorf("refused: %v, %v", refused, err)
	}
}
