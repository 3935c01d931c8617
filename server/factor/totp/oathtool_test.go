package totp

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// An independent witness: the codes of 100 random secrets and moments are those that oathtool computes.
func TestCodesAgreeWithOathtool(t *testing.T) {
	tool, err := exec.LookPath("oathtool")
	if err != nil {
		t.Fatal("oathtool is needed as a witness: install the Debian package oathtool (Fedora: oathtool, Homebrew: oath-toolkit)")
	}
	for range 100 {
		secret, err := NewSecret(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		var noise [4]byte
		rand.Read(noise[:])
		at := time.Unix(int64(binary.BigEndian.Uint32(noise[:])), 0).UTC()

		command := exec.Command(tool, "--totp=sha1", "--base32", "--digits=6", "--time-step-size=30s",
			"--now="+at.Format("2006-01-02 15:04:05 UTC"), "-")
		command.Stdin = strings.NewReader(Typable(secret) + "\n")
		var complaint bytes.Buffer
		command.Stderr = &complaint
		out, err := command.Output()
		if err != nil {
			t.Fatalf("oathtool: %v: %s", err, complaint.String())
		}
		if got, want := Code(secret, Step(at)), strings.TrimSpace(string(out)); got != want {
			t.Errorf("%x at %v: %s, oathtool says %s", secret, at, got, want)
		}
	}
}
