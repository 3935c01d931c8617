package hashing

import (
	"runtime"
	"runtime/debug"
	"sync"
)

// worthCollecting is the work, in KiB, that leaves so much memory behind that it does not wait for Go's own time.
const worthCollecting = 8 << 10

// garbage is what computations leave behind. By itself Go collects when one begins, since it asks for more memory than all
// the rest has, and finds nothing: what is asked for is in use. When it ends, Go waits until as much again has gathered; with
// a bound on memory (GOMEMLIMIT) it does not, but lets every request that comes meanwhile help to collect, and that is what
// requests then wait for. So Go's own time is put off while computations run, but for that bound, which serve sets, and what
// a pool's worth of them leaves is collected when they end: the next ones take the memory of those before.
type garbage struct {
	collecting sync.Mutex // held while it is collected

	mu      sync.Mutex
	running int // computations, and those about to begin
	ended   int // computations since it was collected
	off     bool
	percent int // of GOGC, to go back to
}

// left is all the process's, as GOGC is.
var left garbage

// begin waits for a collection that is under way. Beside it, a computation would need as much memory again as there is to
// collect, and both would take longer than one after the other.
func (g *garbage) begin(work float64) {
	if work < worthCollecting {
		return
	}
	g.mu.Lock()
	g.running++
	if !g.off {
		g.off, g.percent = true, debug.SetGCPercent(-1)
	}
	g.mu.Unlock()
	g.collecting.Lock()
	g.collecting.Unlock() //nolint:staticcheck // waiting is all there is to do
}

// end has collected what a pool's worth of computations has left. It keeps nobody from their answer meanwhile, but where the
// collection before this one still runs: so no more than one pool's worth is ever left behind.
func (g *garbage) end(work float64, workers int) {
	if work < worthCollecting {
		return
	}
	g.mu.Lock()
	g.running--
	g.ended++
	due := g.ended >= workers || g.running == 0
	if due {
		g.ended = 0
	}
	g.mu.Unlock()
	if due {
		g.collecting.Lock()
		go g.collect()
	}
}

func (g *garbage) collect() {
	defer g.collecting.Unlock()
	runtime.GC()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.running == 0 && g.off {
		g.off = false
		debug.SetGCPercent(g.percent)
	}
}
