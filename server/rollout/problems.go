package rollout

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// The refusals of this room.
var (
	ErrNoRollOut        = problem.New(http.StatusNotFound, "no_roll_out", "There is no such roll-out.")
	ErrNotRunning       = problem.New(http.StatusConflict, "roll_out_over", "This has ended already, so there is nothing to stop.")
	ErrSelectionChanged = problem.New(http.StatusConflict, "selection_changed", "More people match by now than were seen. Look at who it is, then confirm again.")
	ErrNothingToRemind  = problem.New(http.StatusConflict, "nothing_to_remind", "There is nothing to remind this person of: 2-step verification is on, or not required, or they can't sign in.")
	ErrRemindedLately   = problem.New(http.StatusTooManyRequests, "reminded_lately", "This person was reminded within the last 24 hours.")
)
