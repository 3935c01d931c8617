package help

import (
	"sync"
	"time"
)

// mostNetworks bounds how many networks are kept in mind.
const mostNetworks = 10_000

// budget is how often a network may do something within a time. It is kept in memory and nowhere else, so that no record
// says who read what; each of several instances has its own.
type budget struct {
	most   int
	within time.Duration

	mu    sync.Mutex
	began time.Time
	spent map[string]int
}

// spend takes one, or says how long there is none.
func (b *budget) spend(network string, now time.Time) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.spent == nil || now.Sub(b.began) >= b.within || len(b.spent) >= mostNetworks {
		b.began, b.spent = now, map[string]int{}
	}
	if b.spent[network] >= b.most {
		return b.began.Add(b.within).Sub(now)
	}
	b.spent[network]++
	return 0
}
