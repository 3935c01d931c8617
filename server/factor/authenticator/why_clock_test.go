package authenticator_test

import (
	"testing"
	"time"

	"github.com/secondstep/secondstep/server/servertest"
)

// Time zones are whole quarter-hours; around each the search is one step wide, and it ends after 14 hours.
func quarterHours(t *testing.T, in *servertest.Installation) {
	atEachDoor(t, in, func(t *testing.T, d door) {
		for _, quarters := range []int{-56, -8, -1, 1, 22, 23, 56} {
			for _, more := range []int{-30, 0, 30} {
				forgive(in)
				offset := quarters*900 + more
				reason := "clock_behind"
				if offset > 0 {
					reason = "clock_ahead"
				}
				d.code(d.distinctCode(in, offset)).Explains(why{"reason": reason, "attempts_left": d.left, "offset_seconds": offset})
			}
		}
		for _, offset := range []int{-57 * 900, 57 * 900, 900 + 60, -900 - 60, 56*900 + 60} {
			forgive(in)
			d.code(d.distinctCode(in, offset)).Explains(why{"reason": "wrong_code", "attempts_left": d.left, "setup_label": d.label})
		}
	})
}

// distinctCode is the code of a phone whose clock is so many seconds ahead, at a time when no other clock that is
// searched has it: by chance one in some thousand is the code of another time too.
func (d door) distinctCode(in *servertest.Installation, seconds int) string {
	for ; ; in.Clock.NextStep() {
		code := d.codeOff(seconds)
		if !d.searched(seconds)[code] {
			return code
		}
	}
}

// codeOff is the code of a phone whose clock is so many seconds ahead.
func (d door) codeOff(seconds int) string {
	d.phone.Behind = -time.Duration(seconds) * time.Second
	return d.phone.Code()
}

// searched are the codes of all times that a clock that is off is searched at, and of some more; not the one left out.
func (d door) searched(without int) map[string]bool {
	codes := map[string]bool{}
	add := func(seconds int) {
		if seconds != without {
			codes[d.codeOff(seconds)] = true
		}
	}
	for seconds := -900; seconds <= 900; seconds += 30 {
		add(seconds)
	}
	for quarters := -56; quarters <= 56; quarters++ {
		for _, more := range []int{-30, 0, 30} {
			add(quarters*900 + more)
		}
	}
	return codes
}
