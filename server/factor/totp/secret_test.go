package totp

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
	"testing/iotest"
)

// Row 15: 10 000 secrets, each of 160 bits, all distinct.
func TestNewSecret(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		secret, err := NewSecret(rand.Reader)
		if err != nil || len(secret) != 20 {
			t.Fatal(len(secret), err)
		}
		seen[string(secret)] = true
	}
	if len(seen) != 10_000 {
		t.Errorf("%d distinct", len(seen))
	}
}

func TestNewSecretFailsWithItsRandomness(t *testing.T) {
	broken := errors.New("broken")
	if secret, err := NewSecret(iotest.ErrReader(broken)); secret != nil || !errors.Is(err, broken) {
		t.Error(secret, err)
	}
	if secret, err := NewSecret(bytes.NewReader(make([]byte, 19))); secret != nil || err == nil {
		t.Error(secret, err)
	}
}

func TestTypable(t *testing.T) {
	if got := Typable(rfcSecret); got != "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" {
		t.Error(got)
	}
	if got := Typable([]byte("odd")); got != "N5SGI" {
		t.Error(got)
	}
}
