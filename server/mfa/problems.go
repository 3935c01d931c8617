package mfa

import (
	"net/http"

	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/signin"
)

// The refusals of this room.
var (
	ErrNotAllowed         = problem.New(http.StatusConflict, "mfa_not_allowed", "2-step verification is not allowed for this person. An administrator can change that.")
	ErrRequired           = problem.New(http.StatusConflict, "mfa_required", "2-step verification is required for this person, so it can't be turned off.")
	ErrOff                = problem.New(http.StatusConflict, "mfa_off", "2-step verification is not on.")
	ErrNoEnrolment        = problem.New(http.StatusNotFound, "no_enrolment", "No enrolment is under way.")
	ErrNoFactor           = problem.New(http.StatusNotFound, "no_factor", "There is no such factor.")
	ErrLastApp            = problem.New(http.StatusConflict, "last_app", "The last authenticator app can't be removed. Replace it, or turn 2-step verification off.")
	ErrNoEvent            = problem.New(http.StatusNotFound, "no_event", "There is no such event on this account.")
	ErrNewBrowser         = problem.New(http.StatusForbidden, "new_browser", "Only a browser of before This wasn't me says that something need not be done.")
	ErrTooManyApps        = problem.New(http.StatusConflict, "too_many_apps", "Five authenticator apps are the most that a person can have.")
	ErrNotConfirmed       = problem.New(http.StatusConflict, "enrolment_not_confirmed", "A code of the new app comes first.")
	ErrNoPending          = problem.New(http.StatusConflict, "no_pending_codes", "No new backup codes wait to be saved. Make a new set.")
	ErrCodesReplaced      = problem.New(http.StatusConflict, "codes_replaced", "Another page has made a newer set, so the codes shown here are not the ones that would count. Show the newest set and save that.")
	ErrChanged            = problem.New(http.StatusConflict, "changed_meanwhile", "Something of this person's changed at the same time. Load the page and try again.")
	ErrNeverOff           = problem.New(http.StatusConflict, "administrator_never_off", "2-step verification can't be forbidden to an administrator.")
	ErrOwnLowering        = problem.New(http.StatusConflict, "own_requirement", "Nobody lowers their own requirement. Ask another administrator.")
	ErrOwnReset           = problem.New(http.StatusForbidden, "own_reset", "Nobody resets themself. Ask another administrator, or use the console.")
	ErrOwnUnlock          = problem.New(http.StatusForbidden, "own_unlock", "Nobody unlocks themself. Ask another administrator.")
	ErrNotLocked          = problem.New(http.StatusConflict, "not_locked", "Codes are neither delayed nor locked for this person.")
	ErrResetOpen          = problem.New(http.StatusConflict, "reset_open", "This person was reset and has not enrolled anew, so 2-step verification can't be forbidden to them now.")
	ErrAdministratorReset = problem.New(http.StatusForbidden, "administrator_reset", "An administrator is reset on the console, with secondstep user reset-mfa.")
	ErrNeedsDeadline      = problem.New(http.StatusUnprocessableEntity, "invalid_input", "A deadline goes with required, and with nothing else.").
				For(problem.Field{Name: "deadline", Code: "invalid"})
)

// usedUp refuses an enrolment whose tries are spent; a new one has a budget of its own.
func usedUp() error {
	soon := 1
	return signin.Refused(&diagnosis.Diagnosis{Reason: diagnosis.TooManyAttempts, RetryAfterSeconds: &soon, StartAgain: true})
}

// expired refuses an enrolment that is over, or taken over by a newer one.
func expired() error { return signin.Refused(&diagnosis.Diagnosis{Reason: diagnosis.EnrolmentExpired}) }
