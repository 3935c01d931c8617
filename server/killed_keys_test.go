package server_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/servertest"
)

// changed is that the file is another one, or reads otherwise, since now.
func changed(t testing.TB, path string) func() bool {
	t.Helper()
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return func() bool {
		now, err := os.Stat(path)
		return err == nil && (!os.SameFile(before, now) || now.Size() != before.Size() || !now.ModTime().Equal(before.ModTime()))
	}
}

// TestRotationKilledBetweenItsParts is row 62: `keys rotate` is killed as soon as the ring has the new key, as soon as the
// database is to know of it, and as soon as it seals. Each time the server beside it opens what is stored, and so does
// one that is started then.
func TestRotationKilledBetweenItsParts(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	j := &journey{t: t, restart: func() *process { return serve(t, data) }, process: serve(t, data)}
	j.Client = servertest.Browse(t, servertest.Firefox, j.process.URL)
	j.setUp(j.process.token())
	app := enrol(t, j.Client)
	begun := j.Do("POST", servertest.Enrolments, map[string]string{"name": "Tablet"}).Want(http.StatusCreated)
	path := filepath.Join(data, "keyring.json")
	kept := func() *keyring.Ring {
		t.Helper()
		ring, err := keyring.OpenExisting(path, "")
		if err != nil {
			t.Fatal(err)
		}
		return ring
	}

	killed := 0
	for n, so := range []func() func() bool{
		func() func() bool { return changed(t, path) },
		func() func() bool { return written(t, data, 1) },
		func() func() bool { return changed(t, path) },
		func() func() bool { return written(t, data, 1) },
	} {
		rotate := program("keys", "rotate", "--data", data)
		until := so()
		if err := rotate.Start(); err != nil {
			t.Fatal(err)
		}
		giveUp := killWhen(rotate, until)
		if rotate.Wait() != nil {
			killed++
		}
		giveUp()
		for range 2 {
			if secret := j.Do("GET", servertest.Enrolments+"/current", nil).Want(http.StatusOK).Text("secret"); secret != begun.Text("secret") {
				t.Fatalf("kill %d: another secret", n)
			}
			j.crash()
		}
	}
	if out, err := program("keys", "rotate", "--data", data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if killed < 2 {
		t.Errorf("%d of the rotations were slower than their kill: nothing was tested", killed)
	}
	ring := kept()
	for _, id := range ring.IDs() {
		if id == ring.PrimaryID() {
			continue
		}
		if out, err := program("keys", "retire", fmt.Sprint(id), "--data", data).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	j.crash()
	j.Do("DELETE", "/api/v1/session", nil).Want(http.StatusNoContent)
	j.Password(adaEmail).Want(http.StatusOK)
	j.Code(app.code()).Want(http.StatusOK)
	j.whole(data)
}
