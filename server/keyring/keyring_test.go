package keyring

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

var seed = Binding{Purpose: "totp seed", Column: "totp_apps.secret", User: "01USER", Record: "01APP"}

func ring(t *testing.T) *Ring {
	t.Helper()
	r, err := Open(filepath.Join(t.TempDir(), "keyring.json"), "")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSealOpens(t *testing.T) {
	r := ring(t)
	for _, plain := range [][]byte{nil, {0}, []byte("12345678901234567890"), bytes.Repeat([]byte{7}, 5000)} {
		sealed, err := r.Seal(plain, seed)
		if err != nil {
			t.Fatal(err)
		}
		opened, err := r.Open(sealed, seed)
		if err != nil || !bytes.Equal(opened, plain) {
			t.Errorf("%d bytes: got %d bytes, %v", len(plain), len(opened), err)
		}
	}
}

// A writer of the database must not be able to move a secret (security row 61).
func TestOpenRefusesAnotherBinding(t *testing.T) {
	r := ring(t)
	sealed, err := r.Seal([]byte("secret"), seed)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]Binding{
		// of the same lengths, so that nothing but the letters tells them apart
		"another person":         {seed.Purpose, seed.Column, "01OTHR", seed.Record},
		"another row":            {seed.Purpose, seed.Column, seed.User, "02APP"},
		"another column":         {seed.Purpose, "totp_appz.secret", seed.User, seed.Record},
		"another purpose":        {"totp feed", seed.Column, seed.User, seed.Record},
		"person and row swapped": {seed.Purpose, seed.Column, seed.Record, seed.User},
		"a letter moved over":    {seed.Purpose, seed.Column, seed.User + "0", seed.Record[1:]},
		"no person":              {seed.Purpose, seed.Column, "", seed.User + seed.Record},
	} {
		if plain, err := r.Open(sealed, b); err == nil {
			t.Errorf("%s: opened as %q", name, plain)
		}
	}
}

func TestBindingMustBeWhole(t *testing.T) {
	r := ring(t)
	sealed, err := r.Seal([]byte("secret"), seed)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []Binding{
		{},
		{"", seed.Column, seed.User, seed.Record},
		{seed.Purpose, "", seed.User, seed.Record},
		{seed.Purpose, seed.Column, seed.User, ""},
	} {
		if _, err := r.Seal([]byte("x"), b); err == nil {
			t.Errorf("%+v sealed", b)
		}
		if _, err := r.Open(sealed, b); err == nil {
			t.Errorf("%+v opened", b)
		}
	}
	if _, err := r.Seal([]byte("x"), Binding{Purpose: "p", Column: "c", Record: "r"}); err != nil {
		t.Errorf("a secret of nobody: %v", err)
	}
}

func TestOpenRefusesEveryFlippedByte(t *testing.T) {
	r := ring(t)
	sealed, err := r.Seal([]byte("secret"), seed)
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		altered := bytes.Clone(sealed)
		altered[i] ^= 1
		if _, err := r.Open(altered, seed); err == nil {
			t.Errorf("byte %d flipped: opened", i)
		}
	}
	for n := range sealed {
		if _, err := r.Open(sealed[:n], seed); err == nil {
			t.Errorf("cut to %d bytes: opened", n)
		}
	}
}

func TestSamePlaintextTwiceDiffers(t *testing.T) {
	r := ring(t)
	seen := map[string]bool{}
	for range 1000 {
		sealed, err := r.Seal([]byte("secret"), seed)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("secret")) {
			t.Fatal("the plaintext shows")
		}
		seen[string(sealed)] = true
	}
	if len(seen) != 1000 {
		t.Errorf("%d different of 1000", len(seen))
	}
}

func TestKeyIDs(t *testing.T) {
	r, other := ring(t), ring(t)
	sealed, err := r.Seal([]byte("secret"), seed)
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := keyOf(sealed); !ok || id != r.PrimaryID() {
		t.Errorf("sealed with %d, primary %d", id, r.PrimaryID())
	}
	if !r.Has(r.PrimaryID()) || r.Has(r.PrimaryID()+1) {
		t.Error("Has")
	}
	_, err = other.Open(sealed, seed)
	if err == nil || !strings.Contains(err.Error(), "not in the key ring") {
		t.Errorf("another ring: %v", err)
	}
}
