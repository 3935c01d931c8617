package demo

import (
	"sync"
	"time"
)

// clock is the installation's while its history is made: it begins weeks ago and only goes forward.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the time of the story.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// to goes forward to a time; where that is past already, nothing happens.
func (c *clock) to(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

// wait lets some time pass.
func (c *clock) wait(d time.Duration) { c.to(c.Now().Add(d)) }

// nextStep waits until an authenticator app shows another code.
func (c *clock) nextStep() {
	const step = 30 * time.Second
	c.to(c.Now().Truncate(step).Add(step + 4*time.Second))
}
