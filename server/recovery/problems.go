package recovery

import (
	"net/http"

	"github.com/secondstep/secondstep/server/problem"
)

// The refusals of this room.
var (
	ErrNone          = problem.New(http.StatusNotFound, "no_recovery", "There is no such request to get back in.")
	ErrOff           = problem.New(http.StatusConflict, "mfa_off", "2-step verification is not on.")
	ErrQuestions     = problem.New(http.StatusUnprocessableEntity, "recovery_questions", "Try your backup codes, and a browser in which you are still signed in, first.")
	ErrTooOften      = problem.New(http.StatusTooManyRequests, "recovery_too_often", "There were three requests for this account within a day. Wait; or choose a new password, if they were not yours, then ask at once.")
	ErrElsewhere     = problem.New(http.StatusForbidden, "recovery_elsewhere", "Another browser has asked for this. Only that one takes it back.")
	ErrLink          = problem.New(http.StatusGone, "recovery_link_expired", "This link is not for this account, has been used, is too old, or the request is over.")
	ErrUnconfirmable = problem.New(http.StatusForbidden, "recovery_not_confirmable", "Only a browser that is signed in with a second step can say that it was you.")
	ErrOwn           = problem.New(http.StatusForbidden, "own_recovery", "Nobody decides about their own request. Ask another administrator.")
	ErrTooEarly      = problem.New(http.StatusConflict, "recovery_too_early", "The waiting period is not over.")
	ErrChanged       = problem.New(http.StatusConflict, "recovery_changed", "This request is not open for this any more, or not yet. Load the page again.")
	ErrDecided       = problem.New(http.StatusConflict, "already_decided", "You have approved this already. Another administrator has to agree.")
	ErrOnConsole     = problem.New(http.StatusConflict, "recovery_on_console", "Nobody else can let this administrator in. Whoever runs the server can, with secondstep user reset-mfa.")
	ErrTooSoon       = problem.New(http.StatusForbidden, "reset_too_soon", "For 7 days after their role or address was changed somebody gets back in on the console alone, with secondstep user reset-mfa.")
	ErrEvidence      = problem.New(http.StatusBadRequest, "recovery_evidence", "Say how you made sure who it is, and why you decide so.")
)
