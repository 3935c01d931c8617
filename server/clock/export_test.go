package clock

import "time"

// Passes lets so much time pass between any two looks, whatever the clock says.
func Passes(w *Watch, passed time.Duration) {
	w.passed = func(time.Time, time.Time) time.Duration { return passed }
}
