package cli

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/secondstep/secondstep/server/hashing"
)

// Nothing else bounds what gathers while argon2id runs, so a high GOMEMLIMIT is lowered, and a low one stays.
func TestMemoryIsBound(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	const bound = 64<<20 + 5*64<<20 // the program's, and that of three that have ended beside two that run
	for environment, want := range map[int64]int64{math.MaxInt64: bound, 8 << 30: bound, 100 << 20: 100 << 20} {
		debug.SetMemoryLimit(environment)
		boundMemory(3, hashing.Params{Memory: 64 << 10, Time: 1, Threads: 1})
		if got := debug.SetMemoryLimit(-1); got != want {
			t.Errorf("of %d it made %d, not %d", environment, got, want)
		}
	}
}
