package hashing

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// cheap is the least that RFC 9106 allows for one thread.
var cheap = Params{Memory: 8, Time: 1, Threads: 1}

func TestCheckFloor(t *testing.T) {
	for _, c := range []struct {
		params Params
		ok     bool
	}{
		{Passwords, true},
		{BackupCodes, true},
		{Params{47104, 1, 1}, true},
		{Params{47103, 1, 1}, false},
		{Params{19456, 2, 1}, true},
		{Params{19455, 2, 1}, false},
		{Params{12287, 3, 1}, false},
		{Params{9216, 4, 1}, true},
		{Params{7168, 5, 1}, true},
		{Params{7168, 4, 1}, false},
		{Params{7167, 10, 1}, false},
		{Params{65536, 3, 4}, true},
		{Params{maxMemory, 1, 1}, true},
		{Params{maxMemory + 1, 1, 1}, false},
		{Params{47104, 0, 1}, false},
		{Params{47104, 11, 1}, false},
		{Params{47104, 1, 0}, false},
		{Params{47104, 1, 17}, false},
		{cheap, false},
		{Params{}, false},
	} {
		err := CheckFloor(c.params)
		if (err == nil) != c.ok {
			t.Errorf("%v: %v", c.params, err)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: not one line: %q", c.params, err)
		}
	}
}

func phc(params string, salt, key int) string {
	b := func(n int) string { return base64.RawStdEncoding.EncodeToString(make([]byte, n)) }
	return fmt.Sprintf("$argon2id$v=19$%s$%s$%s", params, b(salt), b(key))
}

// Row 65: whatever a row of the database says, it costs neither memory nor a panic.
func TestStoredHashOutOfBoundsIsRefusedBeforeItCosts(t *testing.T) {
	ctx := context.Background()
	pool := New(Options{})
	for _, stored := range []string{
		"",
		"plain",
		"$argon2id$v=19$m=8,t=1,p=1$$",
		phc("m=4194304,t=1,p=1", 16, 32), // 4 GiB
		phc("m=1048577,t=1,p=1", 16, 32),
		phc("m=4294967296,t=1,p=1", 16, 32),
		phc("m=0,t=1,p=1", 16, 32),
		phc("m=7,t=1,p=1", 16, 32),
		phc("m=15,t=1,p=2", 16, 32),
		phc("m=8,t=0,p=1", 16, 32),
		phc("m=8,t=11,p=1", 16, 32),
		phc("m=8,t=4294967295,p=1", 16, 32),
		phc("m=8,t=1,p=0", 16, 32),
		phc("m=1024,t=1,p=17", 16, 32),
		phc("m=1024,t=1,p=256", 16, 32),
		phc("m=-8,t=1,p=1", 16, 32),
		phc("m=+8,t=1,p=1", 16, 32),
		phc("m=8,t=1,p=1,x=y", 16, 32),
		phc("m=08,t=1,p=1", 16, 32),
		phc("t=1,m=8,p=1", 16, 32),
		phc("m=8,t=1,p=1", 15, 32),
		phc("m=8,t=1,p=1", 65, 32),
		phc("m=8,t=1,p=1", 16, 15),
		phc("m=8,t=1,p=1", 16, 65),
		phc("m=8,t=1,p=1", 16, 1<<20),
		strings.Replace(phc("m=8,t=1,p=1", 16, 32), "argon2id", "argon2i", 1),
		strings.Replace(phc("m=8,t=1,p=1", 16, 32), "v=19", "v=16", 1),
		strings.Replace(phc("m=8,t=1,p=1", 16, 32), "v=19", "v=19x", 1),
		phc("m=8,t=1,p=1", 16, 32) + "$",
		phc("m=8,t=1,p=1", 16, 32) + "\n",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		same, err := pool.Verify(ctx, "secret", stored)
		runtime.ReadMemStats(&after)
		if same || !errors.Is(err, ErrHash) {
			t.Errorf("%.60q: %v, %v", stored, same, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 256<<10 {
			t.Errorf("%.60q: allocated %d bytes", stored, n)
		}
		if !NeedsRehash(stored, cheap) {
			t.Errorf("%.60q: would be kept", stored)
		}
	}
	if pool.Runs() != 0 {
		t.Errorf("%d computations", pool.Runs())
	}
	if _, err := pool.Verify(ctx, "secret", phc("m=8,t=1,p=1", 16, 32)); err != nil || pool.Runs() != 1 {
		t.Errorf("a hash inside the bounds: %v, %d computations", err, pool.Runs())
	}
	widest := phc("m=1048576,t=10,p=16", maxSaltBytes, maxKeyBytes)
	if _, _, _, err := decode(widest); err != nil {
		t.Errorf("the widest hash allowed, %d characters: %v", len(widest), err)
	}
}

func TestHashRefusesCostsOutOfBounds(t *testing.T) {
	pool := New(Options{})
	for _, params := range []Params{{}, {8, 0, 1}, {8, 1, 0}, {7, 1, 1}, {maxMemory + 1, 1, 1}} {
		if got, err := pool.Hash(context.Background(), "secret", params); err == nil {
			t.Errorf("%v: %s", params, got)
		}
	}
	if pool.Runs() != 0 {
		t.Errorf("%d computations", pool.Runs())
	}
}

func TestNeedsRehash(t *testing.T) {
	setting := Params{Memory: 64, Time: 2, Threads: 1}
	for _, c := range []struct {
		stored string
		want   bool
	}{
		{phc("m=64,t=2,p=1", 16, 32), false},
		{phc("m=63,t=2,p=1", 16, 32), true},
		{phc("m=64,t=1,p=1", 16, 32), true},
		{phc("m=640,t=1,p=1", 16, 32), true},
		{phc("m=128,t=3,p=1", 16, 32), false}, // the setting was lowered
		{phc("m=64,t=2,p=1", 16, 31), true},
		{phc("m=64,t=2,p=1", 32, 64), false},
	} {
		if got := NeedsRehash(c.stored, setting); got != c.want {
			t.Errorf("%s: %v", c.stored, got)
		}
	}
	if NeedsRehash(Decoy(setting), setting) {
		t.Error("a decoy is not of the cost it was asked for")
	}
}
